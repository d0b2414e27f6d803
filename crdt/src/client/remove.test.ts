/** A document's copy is removed: only what nodes have goes, unless the app gives up the rest. */
import { expect, test } from "vitest"
import type { RejectedUpdate, StorageWrite } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"
import { StoredImage } from "./stored-image.ts"
import { ack, clientId, emptyClient, Harness, notes, only, plans } from "./test/harness.ts"
import { origin, readOf, sentOf, updatesSent, vector } from "./test/harness.ts"

const denied = "permission-denied"

function remove(harness: Harness): ClientEffect[] {
  return harness.input({ type: "remove-document", document: notes })
}

function shelved(seq: number): RejectedUpdate {
  const update = { seq, document: notes, generation: 1, bytes: Uint8Array.of(seq) }
  return { ...update, code: denied, message: "" }
}

/** Of the copy of whatever generation. */
function removal(...discarded: number[]): StorageWrite {
  const generation = Number.MAX_SAFE_INTEGER
  return { type: "document-remove", document: notes, generation, discarded }
}

function imageAfter(writes: readonly StorageWrite[]): StoredImage {
  const image = new StoredImage()
  for (const write of writes) image.apply(write)
  return image
}

test("[C13] the copy of a document that is closed goes, and its channel is closed", () => {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect()
  harness.serve(1, vector([origin, 1]))
  harness.type(notes, 1)
  harness.node(ack(1))
  expect(remove(harness)).toEqual([])
  harness.input({ type: "close-document", document: notes })
  expect(imageAfter(harness.writes).documents.size).toBe(1)
  expect(harness.core.owedOf(notes)).toEqual({ pending: 0, rejected: 0 })
  harness.storing = false
  remove(harness)
  const mark = harness.core.storingTo
  expect(harness.core.isStored(mark ?? 0)).toBe(false)
  harness.input({ type: "stored", result: { ok: true } })
  expect(harness.core.isStored(mark ?? 0)).toBe(true)
  expect(harness.writes.at(-1)).toEqual(removal())
  expect(imageAfter(harness.writes).documents.size).toBe(0)
  expect(harness.core.opening(notes, readOf())).toMatchObject({ generation: 0, stored: [] })
})

test("[C13] what is opened before storage has removed it begins with nothing", () => {
  const harness = new Harness()
  harness.storing = false
  remove(harness)
  const read = { generation: 2, updates: [Uint8Array.of(1)], resume: vector([origin, 1]) }
  const opening = harness.core.opening(notes, readOf(read))
  const nothing = { stored: [], pending: [], withheld: [] }
  expect(opening).toEqual({ generation: 0, ...nothing, resume: undefined })
})

test("[C13] what is discarded is sent no more, and its numbers are void", () => {
  const rejected = [shelved(1)]
  const harness = new Harness({ stored: { ...emptyClient(), nextSeq: 2, rejected } })
  harness.type(notes, 2)
  harness.type(plans, 3)
  harness.type(notes, 4)
  expect(harness.core.owedOf(notes)).toEqual({ pending: 2, rejected: 1 })
  remove(harness)
  expect(harness.writes.at(-1)).toEqual(removal(2, 4, 1))
  expect(harness.core.owedOf(notes)).toEqual({ pending: 0, rejected: 0 })
  expect(harness.core.retryOf(1)).toBe("gone")
  expect(harness.core.pending).toMatchObject({ count: 1, bytes: 1 })
  harness.connect()
  const opened = sentOf(harness.effects).filter(({ type }) => type === "open")
  expect(opened).toMatchObject([{ document: plans }])
  expect(updatesSent(harness.effects)).toEqual([[3, 3, -1]])
  expect(updatesSent(harness.type(plans, 5))).toEqual([[5, 5]])
})

test("[C13] [N7] nothing is sent past what was discarded before storage has let go of it", () => {
  const harness = new Harness()
  harness.connect()
  harness.type(notes, 1)
  harness.type(plans, 2)
  harness.node({ type: "reject", seq: 1, code: "overloaded", message: "" })
  harness.storing = false
  remove(harness)
  // In a next life number 1 would be pending, and taken for logged.
  expect(updatesSent(harness.advance(clientLimits.resendBackoffMsMax))).toEqual([])
  const done = harness.input({ type: "stored", result: { ok: true } })
  expect(updatesSent(done)).toEqual([[1, -1, 2]])
})

test("[C13] [N8] what was under way may be logged, and is sent back on the next connection", () => {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect()
  harness.serve(1)
  harness.type(notes, 1)
  harness.type(plans, 2)
  expect(updatesSent(harness.effects)).toEqual([
    [1, 1],
    [2, 2],
  ])
  harness.input({ type: "close-document", document: notes })
  // On this one its node acks it, and takes it for granted that the client has it.
  expect(only(remove(harness), "disconnect")).toHaveLength(1)
  harness.hold(notes)
  harness.redial()
  const sent = harness.connect({ loggedSeq: 1 })
  expect(sent.filter(({ type }) => type === "open")).toMatchObject([
    { document: notes, resume: { type: "nothing" } },
    { document: plans },
  ])
  expect(updatesSent(harness.effects).at(-1)).toEqual([2, 2])
  expect(imageAfter(harness.writes).documents.size).toBe(0)
  // Nothing of it is under way now.
  harness.input({ type: "close-document", document: notes })
  expect(only(remove(harness), "disconnect")).toEqual([])
})

test("[C13] whenever it is killed, either all of a document is there or nothing", () => {
  const before = new Harness()
  before.hold(notes)
  before.connect()
  before.serve(1, vector([origin, 1]))
  before.type(notes, 1)
  before.node(ack(1))
  before.type(notes, 2)
  before.node({ type: "reject", seq: 2, code: denied, message: "" })
  before.type(notes, 3)
  const image = imageAfter(before.writes)
  const harness = new Harness({ stored: image.load(clientId) })
  remove(harness)
  const states = [0, 1].map((survivors) => {
    const writes = [...before.writes, ...harness.writes.slice(0, survivors)]
    const { outbox, rejected, documents } = imageAfter(writes)
    return [outbox.size, rejected.size, documents.size]
  })
  expect(harness.writes).toHaveLength(1)
  expect(states).toEqual([
    [1, 1, 1],
    [0, 0, 0],
  ])
})
