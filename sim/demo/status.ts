/** What a node says about itself and its documents over HTTP, as far as the demo looks at it. */
import { textName } from "./editor.ts"
import type { NodeProcess } from "./node-process.ts"

/** Entries held per origin. */
export type Vector = ReadonlyMap<string, number>

export type NodeStatus = { readonly origin: string; readonly vector: Vector }

const requestMsMax = 20_000

export async function statusOf(node: NodeProcess): Promise<NodeStatus> {
  const body = await get(node, "/v1/status")
  if (!isObject(body) || !isObject(body["vector"]) || typeof body["origin"] !== "string") {
    throw new Error(`${node.name} has no status: ${JSON.stringify(body)}`)
  }
  const vector = new Map<string, number>()
  for (const [origin, seq] of Object.entries(body["vector"])) vector.set(origin, Number(seq))
  return { origin: body["origin"], vector }
}

/** The document's root types as JSON; none if nobody has written it. */
export async function documentOf(
  node: NodeProcess,
  room: string,
): Promise<Readonly<Record<string, unknown>>> {
  const body = await get(node, `/v1/documents/yjs/${room}`)
  return isObject(body) ? body : {}
}

export async function textOf(node: NodeProcess, room: string): Promise<string> {
  const text = (await documentOf(node, room))[textName] ?? ""
  if (typeof text !== "string") throw new Error(`${node.name}: ${textName} is not a text`)
  return text
}

async function get(node: NodeProcess, path: string): Promise<unknown> {
  const signal = AbortSignal.timeout(requestMsMax)
  const response = await fetch(`${node.httpUrl}${path}`, { signal })
  const body: unknown = await response.json()
  if (response.ok || response.status === 404) return body
  throw new Error(`${node.name} answers ${response.status} to ${path}: ${JSON.stringify(body)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The smallest vector that covers all of them. */
export function joinOf(vectors: readonly Vector[]): Vector {
  const join = new Map<string, number>()
  for (const vector of vectors) {
    for (const [origin, seq] of vector) join.set(origin, Math.max(seq, join.get(origin) ?? 0))
  }
  return join
}

export function covers(vector: Vector, target: Vector): boolean {
  for (const [origin, seq] of target) if ((vector.get(origin) ?? 0) < seq) return false
  return true
}

export function entriesIn(vector: Vector): number {
  let entries = 0
  for (const seq of vector.values()) entries += seq
  return entries
}
