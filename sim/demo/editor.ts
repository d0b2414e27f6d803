/**
 * One person's editor: a Yjs document that holds exactly what the next transaction was typed on,
 * so that the trace's positions mean what they meant then. Its updates go out through a replica
 * on the network, which may hold more.
 */
import { assert } from "@causeway/crdt/base"
import * as Y from "yjs"
import type { Agent, Trace, Transaction } from "./trace.ts"
import { agents, otherAgent } from "./trace.ts"

/** The document's root type; in the node's JSON a key of the same name. */
export const textName = "text"

/** A transaction as it was typed, and what shows that a replica holds it. */
export type Typed = {
  readonly update: Uint8Array
  /** The writer's Yjs client and its clock after the transaction. */
  readonly client: number
  readonly clock: number
  readonly deletions: readonly Deletion[]
}

/** Deletions have no clock of their own: they are looked for one by one. */
type Deletion = { readonly client: number; readonly clock: number; readonly length: number }

export class Editor {
  readonly #doc = new Y.Doc()
  readonly #text: Y.Text

  constructor(agent: Agent) {
    // Fixed and distinct: random ones could be the same.
    this.#doc.clientID = agent + 1
    this.#text = this.#doc.getText(textName)
  }

  get text(): string {
    return this.#text.toString()
  }

  type({ patches }: Transaction): Typed {
    let update: Uint8Array | undefined
    const capture = (bytes: Uint8Array) => (update = bytes)
    this.#doc.on("update", capture)
    this.#doc.transact(() => {
      for (const { position, deleted, text } of patches) {
        if (deleted > 0) this.#text.delete(position, deleted)
        if (text !== "") this.#text.insert(position, text)
      }
    })
    this.#doc.off("update", capture)
    assert(update !== undefined, "every transaction of the trace changes the text")
    const client = this.#doc.clientID
    const clock = Y.getState(this.#doc.store, client)
    return { update, client, clock, deletions: deletionsOf(update) }
  }

  /** Takes over a transaction of the other editor; they come in order. */
  learn({ update }: Typed): void {
    Y.applyUpdate(this.#doc, update)
  }

  destroy(): void {
    this.#doc.destroy()
  }
}

function deletionsOf(update: Uint8Array): Deletion[] {
  const { clients } = Y.decodeUpdate(update).ds
  return [...clients].flatMap(([client, ranges]) =>
    ranges.map(({ clock, len }) => ({ client, clock, length: len })),
  )
}

/** Whether a replica has received all that was typed. O(deleted runs), mostly O(1). */
export function holds(replica: Y.Doc, { client, clock, deletions }: Typed): boolean {
  if (Y.getState(replica.store, client) < clock) return false
  return deletions.every((deletion) => hasDeleted(replica, deletion))
}

function hasDeleted({ store }: Y.Doc, { client, clock, length }: Deletion): boolean {
  const end = clock + length
  if (Y.getState(store, client) < end) return false
  for (let at = clock; at < end;) {
    const { id, length: run, deleted } = Y.getItem(store, Y.createID(client, at))
    if (!deleted) return false
    at = id.clock + run
  }
  return true
}

/** The text after some transactions from the trace's beginning, without any network. */
export function replayLocally({ transactions }: Trace): string {
  const editors = [new Editor(0), new Editor(1)] as const
  const typed: [Typed[], Typed[]] = [[], []]
  const learned: [number, number] = [0, 0]
  const learnUpTo = (agent: Agent, count: number) => {
    for (const each of typed[otherAgent(agent)].slice(learned[agent], count)) {
      editors[agent].learn(each)
      learned[agent]++
    }
  }
  for (const transaction of transactions) {
    const { agent, needs } = transaction
    learnUpTo(agent, needs)
    typed[agent].push(editors[agent].type(transaction))
  }
  for (const agent of agents) learnUpTo(agent, transactions.length)
  const [text, same] = editors.map((editor) => editor.text)
  for (const editor of editors) editor.destroy()
  assert(text !== undefined && text === same, "both editors end at the same text")
  return text
}
