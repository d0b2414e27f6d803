/**
 * The recorded history of two people typing into one text (traces/README.md). For each
 * transaction it works out how many of the other agent's transactions its parents include:
 * together with all of its own agent's earlier ones that is exactly what it was typed on.
 */
import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { assert } from "@causeway/crdt/base"

export type Agent = 0 | 1
export const agents = [0, 1] as const

type Patch = { readonly position: number; readonly deleted: number; readonly text: string }

export type Transaction = {
  /** Its place in the trace; parents stand earlier. */
  readonly index: number
  readonly agent: Agent
  /** It was typed on all of its agent's earlier transactions and this many of the other's. */
  readonly needs: number
  readonly patches: readonly Patch[]
}

export type Trace = {
  readonly transactions: readonly Transaction[]
  /** The text after all of them. */
  readonly endContent: string
}

export function otherAgent(agent: Agent): Agent {
  return agent === 0 ? 1 : 0
}

export function loadTrace(): Trace {
  const file = new URL("traces/friendsforever.json.gz", import.meta.url)
  const json: unknown = JSON.parse(gunzipSync(readFileSync(file)).toString("utf8"))
  assert(isObject(json) && Array.isArray(json["txns"]), "a trace has transactions")
  const { txns, endContent } = json
  assert(typeof endContent === "string" && isAscii(endContent), "the text's positions are bytes")
  return { transactions: withNeeds(txns.map(parseRecord)), endContent }
}

type TraceRecord = {
  readonly agent: Agent
  readonly parents: readonly number[]
  readonly patches: readonly Patch[]
}

/** Per transaction: how many of each agent's transactions it includes, itself among them. */
type Reach = readonly [number, number]

function withNeeds(records: readonly TraceRecord[]): Transaction[] {
  const reaches: Reach[] = []
  const written: [number, number] = [0, 0]
  return records.map(({ agent, parents, patches }, index) => {
    const past: [number, number] = [0, 0]
    for (const parent of parents) {
      const reach = reaches[parent]
      assert(reach !== undefined, "parents stand earlier in the trace")
      for (const each of agents) past[each] = Math.max(past[each], reach[each])
    }
    assert(past[agent] === written[agent], "one agent's transactions are totally ordered")
    const needs = past[otherAgent(agent)]
    past[agent] = ++written[agent]
    reaches.push(past)
    return { index, agent, needs, patches }
  })
}

function parseRecord(value: unknown): TraceRecord {
  assert(isObject(value), "a transaction is an object")
  const { agent, parents, patches } = value
  assert(agent === 0 || agent === 1, "there are two agents")
  assert(Array.isArray(parents) && parents.every(isIndex), "parents are indexes")
  assert(Array.isArray(patches), "a transaction has patches")
  return { agent, parents, patches: patches.map(parsePatch) }
}

function parsePatch(value: unknown): Patch {
  assert(Array.isArray(value), "a patch is a list")
  const [position, deleted, text]: readonly unknown[] = value
  assert(isIndex(position) && isIndex(deleted), "a patch has a place")
  assert(typeof text === "string" && isAscii(text), "the text's positions are bytes")
  return { position, deleted, text }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
