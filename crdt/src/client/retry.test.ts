/** The app has a rejected update tried again: off the shelf and pending anew, in one write. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { RejectedUpdate } from "../ports/index.ts"
import type { RejectCode } from "../protocol/index.ts"
import type { ClientEffect } from "./effect.ts"
import { StoredImage } from "./stored-image.ts"
import { ack, clientId, emptyClient, Harness, notes, only, openedOf } from "./test/harness.ts"
import { plans, sentOf, updatesSent } from "./test/harness.ts"

const denied = "permission-denied"

function shelved(seq: number, code: RejectCode = denied, generation = 0): RejectedUpdate {
  const update = { seq, document: notes, generation, bytes: Uint8Array.of(seq) }
  return { ...update, code, message: "" }
}

function withShelf(...rejected: RejectedUpdate[]): Harness {
  return new Harness({ stored: { ...emptyClient(), nextSeq: 10, rejected } })
}

function retry(harness: Harness, seq: number): ClientEffect[] {
  return harness.input({ type: "retry-rejected", seq })
}

function opens(effects: readonly ClientEffect[]) {
  return sentOf(effects).flatMap((message) =>
    message.type === "open" ? [[message.document, message.generation]] : [],
  )
}

test("[C3] a retried update leaves the shelf and is pending again, in one write", () => {
  const harness = withShelf(shelved(1))
  harness.hold(notes)
  harness.connect()
  harness.serve(1)
  expect(harness.core.rejectionOf(notes)).toBeDefined()
  expect(harness.core.retryOf(1)).toBe("pending")
  harness.writes.splice(0)
  const effects = retry(harness, 1)
  const update = { seq: 10, document: notes, generation: 0, bytes: Uint8Array.of(1) }
  expect(only(effects, "retried")).toEqual([{ type: "retried", seq: 1, update }])
  expect(harness.writes).toEqual([{ type: "outbox-add", update, shelved: 1 }])
  expect(updatesSent(effects)).toEqual([[10, 1]])
  expect(harness.core.rejectionOf(notes)).toBeUndefined()
  harness.node(ack(10))
  expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })

  expect(harness.core.retryOf(1)).toBe("gone")
  expect(retry(harness, 1)).toEqual([])
})

test("[C3] [C1] a retried update is sent once it is stored, never before", () => {
  const harness = withShelf(shelved(1))
  harness.connect()
  harness.hold(notes)
  harness.storing = false
  expect(updatesSent(retry(harness, 1))).toEqual([])
  const stored = harness.input({ type: "stored", result: { ok: true } })
  expect(updatesSent(stored)).toEqual([[10, 1]])
})

test("[C3] whichever write comes last, a retried update is on the shelf or pending", () => {
  const harness = withShelf(shelved(1), shelved(2))
  retry(harness, 1)
  retry(harness, 2)
  const places: string[] = []
  for (let survivors = 0; survivors <= harness.writes.length; survivors++) {
    const image = new StoredImage()
    for (const seq of [1, 2]) image.apply({ type: "rejected-add", update: shelved(seq) })
    for (const write of harness.writes.slice(0, survivors)) image.apply(write)
    const { outbox, rejected } = image.load(clientId)
    const there = new Set([...outbox, ...rejected].map((update) => update.bytes[0]))
    expect([outbox.length + rejected.length, there]).toEqual([2, new Set([1, 2])])
    places.push(`${outbox.length}+${rejected.length}`)
  }
  expect(places).toEqual(["0+2", "1+1", "2+0"])
})

test("[C3] the document is opened for a retried update if nobody has it open", () => {
  const harness = withShelf(shelved(1, denied, 2))
  harness.connect({ version: 2 })
  const effects = retry(harness, 1)
  expect(opens(effects)).toEqual([[notes, 2]])
  expect(updatesSent(effects)).toEqual([[10, 1]])
  harness.node(openedOf(1))
  const acked = harness.node(ack(10))
  expect(sentOf(acked)).toMatchObject([{ type: "close-document" }])
  expect(harness.core.pending.count).toBe(0)
})

test("[C3] offline a retried update waits for a connection", () => {
  const harness = withShelf(shelved(1))
  retry(harness, 1)
  expect(harness.core.pendingDocuments()).toEqual([notes])
  harness.connect()
  expect(updatesSent(harness.effects)).toEqual([[10, 1]])
})

test("[C3] refused again it is on the shelf under its new number, and blocks nothing", () => {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect({ version: 2 })
  harness.serve(1)
  harness.type(notes, 1)
  harness.node({ type: "reject", seq: 1, code: denied, message: "" })
  retry(harness, 1)
  const again = harness.node({ type: "reject", seq: 2, code: denied, message: "" })
  expect(only(again, "rejected").map(({ update }) => [update.seq, update.generation])).toEqual([
    [2, 1],
  ])
  expect(harness.core.rejectionOf(notes)).toBeDefined()
  expect(updatesSent(harness.type(notes, 7))).toEqual([[3, 7]])
})

test("[C3] a replica stands for its document again once all that it was refused is retried", () => {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect()
  harness.serve(1)
  for (const seq of [1, 2, 3]) {
    harness.type(notes, seq)
    harness.node({ type: "reject", seq, code: denied, message: "" })
  }
  retry(harness, 1)
  retry(harness, 3)
  harness.node(ack(5))
  expect(harness.core.statusOf(notes)).toMatchObject({ error: { code: "update-rejected" } })
  retry(harness, 2)
  harness.node(ack(6))
  expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })
  // What is dismissed is in this replica, and nowhere else.
  harness.type(notes, 7)
  harness.node({ type: "reject", seq: 7, code: denied, message: "" })
  harness.input({ type: "dismiss-rejected", seq: 7 })
  expect(retry(harness, 7)).toEqual([])
  expect(harness.core.statusOf(notes)).toMatchObject({ error: { code: "update-rejected" } })
})

test("[C3] a document that may not be opened is asked for again", () => {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect()
  harness.node({ type: "document-closed", channel: 1, code: denied, message: "" })
  const [rejected] = only(harness.type(notes, 1), "rejected")
  expect(rejected?.update.seq).toBe(1)
  const effects = retry(harness, 1)
  expect(opens(effects)).toHaveLength(1)
  // The number of what was refused before it was sent is void.
  expect(updatesSent(effects)).toEqual([[1, -1, 1]])
  const closed = { type: "document-closed", channel: 2, code: denied, message: "" } as const
  harness.node(closed)
  const refused = harness.node({ type: "reject", seq: 2, code: denied, message: "" })
  expect(only(refused, "rejected")).toHaveLength(1)
})

test("[C3] [R7] what no node can take stays on the shelf, and says why", () => {
  const big = { ...shelved(3), bytes: new Uint8Array(limits.updateBytesMax + 1) }
  const shelf = [shelved(1, "document-deleted", 1), shelved(2, "invalid-update"), big]
  const harness = withShelf(...shelf, shelved(4, denied, 1), shelved(5, denied, 2))
  harness.hold(notes)
  harness.connect({ version: 2 })
  harness.node({ type: "generation", channel: 1, generation: 2 })
  harness.serve(1)
  harness.writes.splice(0)
  const outcomes = [1, 2, 3, 4, 5, 6].map((seq) => harness.core.retryOf(seq))
  const deleted = "document-deleted"
  expect(outcomes).toEqual([deleted, "invalid-update", "too-large", deleted, "pending", "gone"])
  for (const seq of [1, 2, 3, 4]) expect(retry(harness, seq)).toEqual([])
  expect(harness.writes).toEqual([])
})

test("[C3] [R7] a replica of which nobody said the generation is of the retried update's", () => {
  const harness = withShelf(shelved(1, denied, 2))
  harness.hold(notes)
  harness.hold(plans)
  harness.connect({ version: 2 })
  const effects = retry(harness, 1)
  expect(sentOf(effects)).toMatchObject([
    { type: "close-document", channel: 1 },
    { type: "open", document: notes, generation: 2 },
    { type: "update", channel: 3 },
  ])
  // Said of the first channel, before the node heard of the other one.
  const late = harness.node({ type: "generation", channel: 1, generation: 3 })
  expect(only(late, "disconnect")).toEqual([])
  const closed = { type: "document-closed", channel: 3, code: "document-deleted" } as const
  harness.node({ ...closed, message: "" })
  expect(harness.core.retryOf(1)).toBe("gone")
  const refused = harness.node({ type: "reject", seq: 10, code: "document-deleted", message: "" })
  expect(only(refused, "rejected")).toMatchObject([{ update: { seq: 10, generation: 2 } }])
  expect(harness.core.retryOf(10)).toBe("document-deleted")
})
