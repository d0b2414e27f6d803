/** A node that lacks what an update builds on: repaired, or shelved, and nothing else waits. */
import { describe, expect, test } from "vitest"
import type { RejectedUpdate } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"
import { ack, emptyClient, Harness, notes, only, openedOf, plans } from "./test/harness.ts"
import { readOf, sentOf, updatesSent, vector } from "./test/harness.ts"

const reject = { type: "reject", seq: 1, code: "missing-predecessors", message: "" } as const
const five = Uint8Array.of(5)
const shelved: RejectedUpdate = {
  seq: 1,
  document: notes,
  generation: 0,
  bytes: five,
  code: "missing-predecessors",
  message: "",
}

/** Two updates on their way: 1 in `notes`, which is held or not, and 2 in `plans`. */
function underWay(holds: boolean): Harness {
  const harness = new Harness()
  harness.hold(notes)
  harness.hold(plans)
  harness.connect()
  harness.serve(1)
  harness.serve(2)
  harness.type(notes, 5)
  harness.type(plans, 6)
  if (!holds) harness.input({ type: "close-document", document: notes })
  return harness
}

/** Serves what is opened, and refuses number 1 whenever it is more than nothing. */
function refuseFirst(harness: Harness, rounds: number): void {
  let mark = harness.effects.length
  harness.node(reject)
  for (let round = 0; round < rounds; round++) {
    for (const message of sentOf(harness.effects.slice(mark))) {
      if (message.type === "open") harness.serve(message.channel)
    }
    harness.advance(clientLimits.resendBackoffMsMax)
    harness.node({ type: "pong" })
    const sent = updatesSent(harness.effects.slice(mark))
    if (sent.length === 0) return
    mark = harness.effects.length
    harness.node(sent.some(([seq, first]) => seq === 1 && first !== -1) ? reject : ack(2))
  }
}

describe("what a node can't take now, and nobody can mend", () => {
  test.each([
    ["of a closed document", false],
    ["whose replica has no more than the node", true],
  ])("[N14] [C3] an update %s is shelved, and nothing after it waits", (_what, holds) => {
    const harness = underWay(holds)
    refuseFirst(harness, 20)
    expect(harness.core.pending.count).toBe(0)
    const [rejected, ...more] = only(harness.effects, "rejected")
    const message: unknown = expect.any(String)
    expect(rejected?.update).toMatchObject({ ...shelved, generation: 1, message })
    expect(more).toEqual([])
    expect(harness.writes).toContainEqual({ type: "rejected-add", update: rejected?.update })
    expect(harness.core.rejectionOf(plans)).toBeUndefined()
  })

  test("[N14] [C3] after a restart with the outbox alone it is the same", () => {
    const outbox = [
      { seq: 1, document: notes, generation: 0, bytes: five },
      { seq: 2, document: plans, generation: 0, bytes: Uint8Array.of(6) },
    ]
    const harness = new Harness({ stored: { ...emptyClient(), outbox, nextSeq: 3 } })
    harness.connect()
    harness.serve(1)
    harness.serve(2)
    refuseFirst(harness, 20)
    expect(harness.core.pending.count).toBe(0)
    expect(only(harness.effects, "rejected")).toHaveLength(1)
  })

  test("[N7] [C3] its number is sent empty in the next frame, whatever that holds", () => {
    const harness = underWay(false)
    refuseFirst(harness, clientLimits.repairsMax + 1)
    expect(updatesSent(harness.effects).at(-1)).toEqual([1, -1, 6])
  })

  test("[N14] the node gets a new session each time before it is given up", () => {
    const harness = underWay(false)
    refuseFirst(harness, 20)
    const opened = sentOf(harness.effects).filter(({ type }) => type === "open")
    expect(opened).toHaveLength(2 + clientLimits.repairsMax)
  })
})

test("[C1] [C3] the sequence goes on only once what was refused is on the shelf", () => {
  const harness = underWay(false)
  refuseFirst(harness, clientLimits.repairsMax - 1)
  harness.advance(clientLimits.resendBackoffMsMax)
  harness.storing = false
  const refused = harness.node(reject)
  expect(only(refused, "rejected")).toHaveLength(1)
  // After a crash now the node would take number 1 for logged, and nobody would have it.
  expect(updatesSent([...refused, ...harness.advance(1000)])).toEqual([])
  const stored = harness.input({ type: "stored", result: { ok: true } })
  expect(updatesSent(stored)).toEqual([[1, -1, 6]])
})

describe("what a replica can mend", () => {
  test("[N14] the refused update waits for the catch-up, so the difference takes its place", () => {
    const harness = underWay(true)
    harness.node(reject)
    harness.node(openedOf(3))
    expect(updatesSent(harness.advance(1000))).toEqual([])
    const resume = vector()
    const last = harness.node({ type: "updates", handle: 103, complete: true, resume, updates: [] })
    expect(only(last, "node-summary")).toHaveLength(1)
    expect(updatesSent(last)).toEqual([])
    const bytes = Uint8Array.of(4, 5)
    const answer = harness.input({ type: "difference", document: notes, bytes })
    expect(updatesSent(answer)).toEqual([
      [1, 4],
      [2, 6],
    ])
  })

  test("[N14] [C2] another node gets the update itself: it may lack what this one had", () => {
    const harness = underWay(true)
    harness.node(reject)
    harness.serve(3)
    harness.input({ type: "difference", document: notes, bytes: Uint8Array.of(4, 5) })
    harness.close()
    harness.redial()
    const mark = harness.effects.length
    harness.connect()
    expect(updatesSent(harness.effects.slice(mark))).toEqual([
      [1, 5],
      [2, 6],
    ])
    expect(harness.core.pending.bytes).toBe(2)
  })

  test("[N14] [C3] what is shelved after a difference was refused is the update itself", () => {
    const harness = underWay(true)
    for (let count = 1; count <= clientLimits.repairsMax; count++) {
      harness.node(reject)
      harness.serve(2 + count)
      harness.input({ type: "difference", document: notes, bytes: Uint8Array.of(4, 5) })
    }
    harness.node(reject)
    const [rejected] = only(harness.effects, "rejected")
    expect(rejected?.update.bytes).toEqual(five)
    expect(updatesSent(harness.effects).at(-1)).toEqual([1, -1, 6])
  })
})

describe("the shelf", () => {
  test("[C3] opening the document again sends what was shelved, under a new number", () => {
    const stored = { ...emptyClient(), nextSeq: 2, rejected: [shelved] }
    const harness = new Harness({ stored })
    harness.connect()
    // The replica is to have it, or it could not repair anything.
    expect(harness.core.opening(notes, readOf()).pending).toEqual([five])
    const opened = harness.hold(notes)
    const update = { seq: 2, document: notes, generation: 0, bytes: five }
    expect(only(opened, "retried")).toEqual([{ type: "retried", seq: 1, update }])
    expect(harness.writes).toEqual([{ type: "outbox-add", update, shelved: 1 }])
    expect(updatesSent(harness.effects).at(-1)).toEqual([2, 5])
    expect(harness.core.opening(notes, readOf()).pending).toEqual([five])
    expect(harness.core.rejectionOf(notes)).toBeUndefined()
    harness.serve(1)
    harness.node(ack(2))
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })
  })

  test("[C3] what is refused for good, or dismissed, is not tried again", () => {
    const invalid = { ...shelved, seq: 2, code: "invalid-update" } as const
    const stored = { ...emptyClient(), nextSeq: 3, rejected: [shelved, invalid] }
    const harness = new Harness({ stored })
    harness.connect()
    harness.input({ type: "dismiss-rejected", seq: 1 })
    const opened = harness.hold(notes)
    expect(only(opened, "retried")).toEqual([])
    expect(harness.core.pending.count).toBe(0)
    expect(harness.core.rejectionOf(notes)).toBeDefined()
  })
})
