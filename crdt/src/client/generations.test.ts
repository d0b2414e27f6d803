/** A client keeps of which generation its replica is, and what it does when that was deleted. */
import { describe, expect, test } from "vitest"
import type { RejectedUpdate, StoredUpdate } from "../ports/index.ts"
import type { DocumentClosed } from "../protocol/index.ts"
import { ack, emptyClient, Harness, notes, only, origin, plans } from "./test/harness.ts"
import { readOf, sentOf, updatesSent, vector } from "./test/harness.ts"
import type { ClientEffect } from "./effect.ts"

function opens(messages: ReturnType<typeof sentOf>) {
  return messages.flatMap((message) =>
    message.type === "open" ? [[message.document, message.generation]] : [],
  )
}

function closedOf(channel: number): DocumentClosed {
  return { type: "document-closed", channel, code: "document-deleted", message: "gone" }
}

function shelved(effects: readonly ClientEffect[]): (readonly [number, string])[] {
  return only(effects, "rejected").map((effect) => [effect.update.seq, effect.update.code])
}

function stored(...outbox: StoredUpdate[]) {
  return { ...emptyClient(), outbox, nextSeq: (outbox.at(-1)?.seq ?? 0) + 1 }
}

function told(harness: Harness, channel: number, generation: number): void {
  harness.node({ type: "generation", channel, generation })
}

function update(seq: number, generation: number, document = notes): StoredUpdate {
  return { seq, document, generation, bytes: Uint8Array.of(seq) }
}

describe("the generation of a replica", () => {
  test("[R7] [N18] is what the node told, and is said when it is opened again", () => {
    const harness = new Harness()
    harness.hold(notes)
    expect(harness.core.statusOf(notes)?.generation).toBe(0)
    expect(opens(harness.connect({ version: 2 }))).toEqual([[notes, 0]])
    told(harness, 1, 3)
    harness.serve(1, vector([origin, 1]))
    expect(harness.core.statusOf(notes)).toMatchObject({ generation: 3, error: undefined })
    harness.close()
    harness.redial()
    expect(opens(harness.connect({ version: 2 }))).toEqual([[notes, 3]])
    const other = harness.node({ type: "generation", channel: 1, generation: 4 })
    expect(only(other, "disconnect")).toHaveLength(1)
  })

  test("[R7] [F6] a node of version 1 is told nothing of it", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ version: 2 })
    harness.serve(1)
    harness.close()
    harness.redial()
    expect(opens(harness.connect({ version: 1 }))).toEqual([[notes, 0]])
  })

  test("[R7] is kept with what is typed, and known again after a restart", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ version: 2 })
    told(harness, 1, 2)
    harness.serve(1)
    harness.type(notes, 7)
    const typed = { seq: 1, document: notes, generation: 2, bytes: Uint8Array.of(7) }
    expect(harness.writes).toContainEqual({ type: "outbox-add", update: typed })
    const later = new Harness({ stored: stored(update(1, 0), update(2, 2), update(3, 0, plans)) })
    const sent = opens(later.connect({ version: 2 }))
    expect(sent).toEqual([
      [notes, 2],
      [plans, 0],
    ])
    const held = new Harness({ stored: stored(update(1, 2)) })
    held.hold(notes)
    expect(opens(held.connect({ version: 2 }))).toEqual([[notes, 2]])
  })

  test("[R7] is that of an update which says so, if none is known; an earlier one is over", () => {
    const harness = new Harness()
    const typed = { type: "local-update", document: notes, bytes: Uint8Array.of(1) } as const
    harness.input({ ...typed, generation: 2 })
    expect(opens(harness.connect({ version: 2 }))).toEqual([[notes, 2]])
    harness.serve(1)
    const late = harness.input({ ...typed, generation: 1 })
    expect(shelved(late)).toEqual([[2, "document-deleted"]])
    expect(updatesSent(late)).toEqual([])
    expect(shelved(harness.input({ ...typed, generation: 2 }))).toEqual([])
    // What is there now has nothing to do with it.
    expect(harness.core.statusOf(notes)).toMatchObject({ pending: 2, error: undefined })
  })

  test("[R7] [N18] is known before anything is acked, however long the opening takes", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ version: 2 })
    harness.type(notes, 1)
    told(harness, 1, 2)
    harness.node(ack(1))
    harness.close()
    harness.redial()
    expect(opens(harness.connect({ version: 2, loggedSeq: 1 }))).toEqual([[notes, 2]])
  })

  test("[R7] where a node took what was typed and was not heard, it is an old one", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ version: 2 })
    harness.type(notes, 1)
    harness.close()
    harness.redial()
    expect(opens(harness.connect({ version: 2, loggedSeq: 1 }))).toEqual([[notes, 1]])
    const later = new Harness({ stored: stored(update(1, 0), update(2, 0), update(3, 0, plans)) })
    expect(opens(later.connect({ version: 2, loggedSeq: 1 }))).toEqual([
      [notes, 1],
      [plans, 0],
    ])
  })

  test("[R7] is the app's to say of a replica that it opens again", () => {
    const harness = new Harness()
    harness.connect({ version: 2 })
    const resume = { type: "vector", vector: vector([origin, 1]) } as const
    expect(opens(sentOf(harness.hold(notes, resume, 2)))).toEqual([[notes, 2]])
  })
})

describe("a document that is deleted", () => {
  test("[R7] [C3] is closed for good, what waits goes to the shelf, and others go on", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.hold(plans)
    harness.connect({ version: 2, windowBytes: 1 })
    harness.serve(1)
    harness.serve(2)
    harness.type(notes, 1)
    harness.type(notes, 2)
    harness.type(plans, 3)
    // The first is under way, and gets its own answer.
    const closed = harness.node(closedOf(1))
    expect(shelved(closed)).toEqual([[2, "document-deleted"]])
    const error = { code: "document-deleted", retryable: false }
    expect(harness.core.statusOf(notes)).toMatchObject({ error, pending: 1 })
    const refused = harness.node({ type: "reject", seq: 1, code: "document-deleted", message: "" })
    expect(shelved(refused)).toEqual([[1, "document-deleted"]])
    expect(updatesSent(harness.effects).slice(-2)).toEqual([
      [2, -1],
      [3, 3],
    ])
    harness.node(ack(3))
    expect(harness.core.pending.count).toBe(0)
    expect(harness.core.statusOf(notes)).toMatchObject({ error, pending: 0 })
    expect(harness.core.statusOf(plans)).toMatchObject({ savedTo: "node", error: undefined })
    expect(shelved(harness.type(notes, 4))).toEqual([[4, "document-deleted"]])
    expect(opens(sentOf(harness.live(60_000)))).toEqual([])
  })

  test("[R7] what a zombie typed while it was away is refused, and kept", () => {
    const harness = new Harness({ stored: stored(update(1, 1), update(2, 0, plans)) })
    expect(opens(harness.connect({ version: 2 }))).toContainEqual([notes, 1])
    // Sent behind `open`, it is refused for itself.
    harness.node(closedOf(1))
    harness.node({ type: "reject", seq: 1, code: "document-deleted", message: "" })
    expect(shelved(harness.effects)).toEqual([[1, "document-deleted"]])
    harness.serve(2)
    harness.node(ack(2))
    expect(harness.core.pending.count).toBe(0)
    expect(updatesSent(harness.effects)).toEqual([
      [1, 1],
      [2, 2],
    ])
  })

  test("[R7] opened anew by the app it is the next life, without what was shelved", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ version: 2 })
    harness.serve(1)
    harness.node(closedOf(1))
    harness.type(notes, 1)
    harness.input({ type: "close-document", document: notes })
    expect(opens(sentOf(harness.hold(notes)))).toEqual([[notes, 0]])
    told(harness, 2, 2)
    harness.serve(2)
    harness.type(notes, 2)
    harness.node(ack(2))
    expect(harness.core.statusOf(notes)).toMatchObject({
      savedTo: "node",
      generation: 2,
      error: undefined,
    })
    expect(harness.core.opening(notes, readOf()).pending).toEqual([])
  })

  test("[R7] what an earlier life shelved stands in the way of nothing after a restart", () => {
    const code = "document-deleted"
    const rejected: RejectedUpdate = { ...update(1, 1), code, message: "" }
    const harness = new Harness({ stored: { ...emptyClient(), nextSeq: 2, rejected: [rejected] } })
    harness.hold(notes)
    expect(opens(harness.connect({ version: 2 }))).toEqual([[notes, 0]])
    told(harness, 1, 2)
    harness.serve(1)
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })
    harness.input({ type: "dismiss-rejected", seq: 1 })
    expect(harness.writes).toContainEqual({ type: "rejected-remove", seq: 1 })
  })
})
