/** What happens to what was typed: storage, order, window, acks, rejects. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { clientLimits } from "./client-limits.ts"
import {
  ack,
  clientId,
  emptyClient,
  Harness,
  notes,
  only,
  openedOf,
  plans,
} from "./test/harness.ts"
import { sentOf, updatesSent, vector, welcomeOf } from "./test/harness.ts"

function connected(): Harness {
  const harness = new Harness()
  harness.hold(notes)
  harness.hold(plans)
  harness.connect()
  return harness
}

describe("storage comes first", () => {
  test("[C1] a local update is sent only after its storage write is done", () => {
    const harness = connected()
    harness.storing = false
    const typed = harness.type(notes, 7)
    expect(only(typed, "store")[0]?.writes).toEqual([
      {
        type: "outbox-add",
        update: { seq: 1, document: notes, generation: 0, bytes: Uint8Array.of(7) },
      },
    ])
    expect(updatesSent(typed)).toEqual([])
    expect(harness.core.statusOf(notes)?.savedTo).toBe("memory")
    const stored = harness.input({ type: "stored", result: { ok: true } })
    expect(updatesSent(stored)).toEqual([[1, 7]])
    expect(harness.core.statusOf(notes)?.savedTo).toBe("local")
  })

  test("[C1] while a write is under way the next ones gather, and go as one frame", () => {
    const harness = connected()
    harness.storing = false
    harness.type(notes, 1)
    const waiting = [harness.type(notes, 2), harness.type(notes, 3)].flat()
    expect(only(waiting, "store")).toEqual([])
    expect(only(harness.input({ type: "stored", result: { ok: true } }), "store")).toHaveLength(1)
    const done = harness.input({ type: "stored", result: { ok: true } })
    expect(updatesSent(done)).toEqual([[2, 2, 3]])
  })

  test("[C1] storage that fails is tried again, and nothing is sent meanwhile", () => {
    const harness = connected()
    harness.storing = false
    harness.type(notes, 1)
    const failed = harness.input({
      type: "stored",
      result: { ok: false, code: "full", message: "quota" },
    })
    expect(only(failed, "emit")[0]?.event).toEqual({ type: "storage-failed", message: "quota" })
    harness.type(notes, 2)
    expect(harness.core.pending.storageHealthy).toBe(false)
    const later = harness.advance(limits.storeRetryMsMin)
    expect(only(later, "store")[0]?.writes).toHaveLength(2)
    expect(updatesSent(harness.effects)).toEqual([])
    const done = harness.input({ type: "stored", result: { ok: true } })
    expect(updatesSent(done)).toEqual([[1, 1, 2]])
    expect(harness.core.pending.storageHealthy).toBe(true)
  })

  test("[C1] [N6] an acked update leaves the outbox, in memory and in storage", () => {
    const harness = connected()
    harness.type(notes, 1)
    harness.type(plans, 2)
    harness.node(ack(2))
    expect(harness.core.pending).toMatchObject({ count: 0, bytes: 0 })
    expect(harness.writes.at(-1)).toEqual({ type: "outbox-trim", seq: 2 })
    expect(harness.core.statusOf(notes)).toMatchObject({ pending: 0, savedTo: "node" })
  })

  test("past the outbox limit the app is told, and nothing is dropped", () => {
    const harness = new Harness()
    harness.hold(notes)
    const bytes = new Uint8Array(limits.updateBytesMax)
    const count = clientLimits.outboxBytesMax / limits.updateBytesMax
    for (let index = 0; index < count; index++) {
      harness.input({ type: "local-update", document: notes, bytes })
    }
    expect(harness.core.pending.full).toBe(false)
    harness.type(notes, 1)
    expect(harness.core.pending).toMatchObject({ full: true, count: count + 1 })
    expect(harness.writes).toHaveLength(count + 1)
  })
})

describe("order over reconnects", () => {
  test("[C2] [N1] a restart sends the stored outbox again, from the first not logged", () => {
    const outbox = [1, 2, 4].map((seq) => {
      return { seq, document: notes, generation: 0, bytes: Uint8Array.of(seq * 10) }
    })
    const harness = new Harness({ stored: { ...emptyClient(), outbox, nextSeq: 5 } })
    const sent = harness.connect({ loggedSeq: 1 })
    expect(sent[0]).toMatchObject({ type: "hello", client: clientId, firstPending: 1 })
    expect(sent.slice(1)).toMatchObject([
      { type: "open", channel: 1, document: notes },
      { type: "update", seq: 2 },
    ])
    // 3 was rejected in an earlier life: an empty update fills the gap.
    expect(updatesSent(harness.effects)).toEqual([[2, 20, -1, 40]])
  })

  test("[C2] [N2] welcome drops what is logged; the rest is sent again in order", () => {
    const harness = connected()
    harness.type(notes, 1)
    harness.type(plans, 2)
    harness.type(notes, 3)
    harness.close()
    harness.redial()
    const sent = harness.connect({ loggedSeq: 2 })
    expect(sent.find(({ type }) => type === "hello")).toMatchObject({ firstPending: 1 })
    expect(sent.filter(({ type }) => type === "update")).toMatchObject([{ seq: 3 }])
    expect(harness.core.pending.count).toBe(1)
    expect(harness.core.statusOf(plans)?.savedTo).toBe("node")
  })

  test("[C2] an update frame follows the open of its document on the same connection", () => {
    const harness = connected()
    harness.type(plans, 1)
    harness.close()
    harness.redial()
    const types = harness.connect().map((message) => message.type)
    expect(types).toEqual(["hello", "open", "open", "update"])
  })

  test("[N5] a node that knows numbers never given gets a client with a new identity", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.type(notes, 1)
    harness.input({ type: "go-online" })
    harness.input({ type: "socket-opened", socket: harness.socket })
    const effects = harness.node(welcomeOf({ loggedSeq: 9 }))
    expect(only(effects, "disconnect")).toHaveLength(1)
    expect(harness.core.client).not.toBe(clientId)
    expect(harness.writes.at(-1)).toEqual({ type: "client", client: harness.core.client })
    harness.redial()
    const sent = harness.connect({ loggedSeq: 0 })
    expect(sent[0]).toMatchObject({ client: harness.core.client, firstPending: 1 })
    expect(sent.at(-1)).toMatchObject({ type: "update", seq: 1 })
  })

  test("[N2] a limit: with older storage, a number a node logged before counts as logged", () => {
    // Before its storage was put back this client gave number 1 to something that node A logged.
    const harness = connected()
    harness.type(notes, 1)
    harness.close()
    harness.redial()
    // Node B did not answer. A means the other update, which this client can't tell.
    const sent = harness.connect({ loggedSeq: 1 })
    expect(sent.filter(({ type }) => type === "update")).toEqual([])
    expect(harness.core.client).toBe(clientId)
    expect(harness.core.pending.count).toBe(0)
  })

  test("[N6] an ack of what is not under way ends the connection", () => {
    const harness = connected()
    harness.type(notes, 1)
    expect(only(harness.node(ack(2)), "disconnect")[0]).toMatchObject({ code: 4400 })
    expect(harness.core.pending.count).toBe(1)
  })
})

describe("the window", () => {
  test("[C6] no more than the node's window is under way", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ windowBytes: 10 })
    const sent = [1, 2, 3].map((value) => {
      return updatesSent(harness.type(notes, ...Array.from({ length: 4 }, () => value)))
    })
    expect(sent).toEqual([[[1, 1]], [[2, 2]], []])
    expect(updatesSent(harness.node(ack(1)))).toEqual([[3, 3]])
  })

  test("[C6] no more than so many updates are under way, however small they are", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ windowBytes: limits.clientWindowBytes })
    const { updatesUnderWayMax } = clientLimits
    const sent = Array.from({ length: updatesUnderWayMax + 2 }, () => harness.type(notes, 1))
    expect(sent.flatMap(updatesSent)).toHaveLength(updatesUnderWayMax)
    expect(updatesSent(harness.node(ack(1)))).toEqual([[updatesUnderWayMax + 1, 1]])
    expect(updatesSent(harness.node(ack(3)))).toEqual([[updatesUnderWayMax + 2, 1]])
  })

  test("[C6] one update over the window goes alone", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ windowBytes: 1 })
    expect(updatesSent(harness.type(notes, 1, 1))).toEqual([[1, 1]])
    expect(updatesSent(harness.type(notes, 2, 2))).toEqual([])
    expect(updatesSent(harness.node(ack(1)))).toEqual([[2, 2]])
  })

  test("[C6] a new connection starts with the whole window", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ windowBytes: 4 })
    harness.type(notes, 1, 1, 1)
    harness.close()
    harness.redial()
    harness.connect({ windowBytes: 4, loggedSeq: 1 })
    harness.type(notes, 2, 2)
    expect(updatesSent(harness.type(notes, 3, 3))).toEqual([[3, 3]])
  })

  test("frames stay within their bytes, and hold one document each", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.hold(plans)
    const half = limits.clientFrameBytes / 2
    for (const document of [notes, notes, notes, plans, notes]) {
      harness.input({ type: "local-update", document, bytes: new Uint8Array(half) })
    }
    harness.connect({ windowBytes: limits.clientWindowBytes, updateBytesMax: half })
    expect(updatesSent(harness.effects).map(([seq, ...rest]) => [seq, rest.length])).toEqual([
      [1, 2],
      [3, 1],
      [4, 1],
      [5, 1],
    ])
  })
})

describe("rejects", () => {
  test("[N7] [C2] after a retryable reject everything from that number goes again, later", () => {
    const harness = connected()
    for (const value of [1, 2, 3]) harness.type(notes, value)
    harness.node(ack(1))
    const rejected = harness.node({ type: "reject", seq: 2, code: "overloaded", message: "" })
    expect(updatesSent(rejected)).toEqual([])
    expect(updatesSent(harness.type(notes, 4))).toEqual([])
    expect(harness.core.nextDeadline()?.reason).toBe("resend")
    expect(updatesSent(harness.advance(clientLimits.resendBackoffMsMin))).toEqual([[2, 2, 3, 4]])
  })

  test("[C3] [N7] a permanent reject keeps the update for the app and blocks nothing", () => {
    const harness = connected()
    for (const value of [1, 2]) harness.type(notes, value)
    const reject = { type: "reject", seq: 1, code: "invalid-update", message: "no" } as const
    const effects = harness.node(reject)
    const update = { seq: 1, document: notes, generation: 0, bytes: Uint8Array.of(1) }
    const kept = { ...update, code: "invalid-update", message: "no" }
    expect(only(effects, "rejected")).toEqual([{ type: "rejected", update: kept }])
    expect(harness.writes.at(-1)).toEqual({ type: "rejected-add", update: kept })
    expect(updatesSent(harness.type(notes, 3))).toEqual([[3, 3]])
    harness.node(ack(3))
    expect(harness.core.pending.count).toBe(0)
    harness.input({ type: "dismiss-rejected", seq: 1 })
    expect(harness.writes.at(-1)).toEqual({ type: "rejected-remove", seq: 1 })
  })

  test("[C3] a document with a rejected update is saved to no node, until a new replica", () => {
    const harness = connected()
    const error = { code: "update-rejected", message: "invalid-update: no", retryable: false }
    const refused = { pending: 0, savedTo: "local", error }
    harness.type(notes, 1)
    harness.node({ type: "reject", seq: 1, code: "invalid-update", message: "no" })
    harness.type(notes, 2)
    harness.node(ack(2))
    expect(harness.core.statusOf(notes)).toMatchObject(refused)
    expect(harness.core.rejectionOf(plans)).toBeUndefined()
    // The same replica goes on from what nodes don't have, dismissed or not.
    const dismissed = only(
      harness.input({ type: "dismiss-rejected", seq: 1 }),
      "document-status",
    ).at(-1)
    expect(dismissed?.status).toMatchObject({ savedTo: "memory", error })
    harness.hold(notes)
    harness.serve(3)
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })
  })

  test("[C3] a rejected update of an earlier life counts until it is dismissed", () => {
    const code = "too-large" as const
    const update = {
      seq: 1,
      document: notes,
      generation: 0,
      bytes: Uint8Array.of(1),
      code,
      message: "",
    }
    const stored = { ...emptyClient(), nextSeq: 2, rejected: [update] }
    const harness = new Harness({ stored })
    harness.hold(notes)
    harness.connect()
    harness.serve(1)
    const error = { code: "update-rejected", message: "too-large" }
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "local", error })
    harness.input({ type: "dismiss-rejected", seq: 1 })
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "node", error: undefined })
  })

  test("a document that no node has served is not saved to one", () => {
    const harness = new Harness()
    harness.hold(notes)
    expect(harness.core.statusOf(notes)?.savedTo).toBe("local")
    harness.connect()
    expect(harness.core.statusOf(notes)?.savedTo).toBe("local")
    harness.serve(1)
    expect(harness.core.statusOf(notes)?.savedTo).toBe("node")
  })

  test("[C3] [N5] a rejected number is sent empty when the sequence is gone through again", () => {
    const harness = connected()
    for (const value of [1, 2, 3]) harness.type(notes, value)
    harness.node({ type: "reject", seq: 2, code: "permission-denied", message: "" })
    harness.close()
    harness.redial()
    harness.connect()
    expect(updatesSent(harness.effects).at(-1)).toEqual([1, 1, -1, 3])
    const again = harness.node({ type: "reject", seq: 2, code: "invalid-update", message: "" })
    expect(only(again, "rejected")).toEqual([])
  })

  test("[C3] what is too large for every node is rejected here, and 4413 never risked", () => {
    const harness = connected()
    const bytes = new Uint8Array(limits.updateBytesMax + 1)
    const effects = harness.input({ type: "local-update", document: notes, bytes })
    expect(only(effects, "rejected")[0]?.update).toMatchObject({ seq: 1, code: "too-large" })
    expect(updatesSent(harness.type(notes, 2))).toEqual([[1, -1, 2]])
  })

  test("[C3] what is too large for this node is rejected, and the next goes on", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ updateBytesMax: 2 })
    expect(only(harness.type(notes, 1, 1, 1), "rejected")).toHaveLength(1)
    expect(updatesSent(harness.type(notes, 2))).toEqual([[1, -1, 2]])
  })

  test("[N7] a reject of what was never sent ends the connection, and costs nothing", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.connect({ windowBytes: 1 })
    harness.type(notes, 1)
    harness.type(notes, 2)
    const effects = harness.node({ type: "reject", seq: 2, code: "invalid-update", message: "" })
    expect(only(effects, "rejected")).toEqual([])
    expect(only(effects, "disconnect")).toHaveLength(1)
    expect(harness.core.pending.count).toBe(2)
  })

  test("[N7] a node that forgot the channel gets it opened again before the resend", () => {
    const harness = connected()
    harness.type(notes, 1)
    const reject = { type: "reject", seq: 1, code: "document-not-open", message: "" } as const
    harness.node(reject)
    const sent = sentOf(harness.effects).slice(-2)
    expect(sent).toMatchObject([
      { type: "close-document", channel: 1 },
      { type: "open", channel: 3, document: notes },
    ])
    expect(sentOf(harness.advance(1000))[0]).toMatchObject({ type: "update", channel: 3, seq: 1 })
  })

  test("[N14] a node without the predecessors gets them in place of the waiting update", () => {
    const harness = connected()
    harness.serve(1)
    harness.type(notes, 5)
    const reject = { type: "reject", seq: 1, code: "missing-predecessors", message: "" } as const
    harness.node(reject)
    harness.node(openedOf(3))
    const resume = vector()
    const complete = { type: "updates", handle: 103, complete: true, resume, updates: [] } as const
    expect(only(harness.node(complete), "node-summary")[0]?.outgoing).toEqual([])
    const bytes = Uint8Array.of(4, 5)
    const answer = harness.input({ type: "difference", document: notes, bytes })
    expect(updatesSent(answer)).toEqual([[1, 4]])
    harness.node(ack(1))
    expect(harness.core.pending.count).toBe(0)
  })

  test("[N14] [C3] predecessors that are too large block neither this document nor others", () => {
    const harness = connected()
    harness.serve(1)
    harness.type(notes, 5)
    harness.type(plans, 6)
    harness.node({ type: "reject", seq: 1, code: "missing-predecessors", message: "" })
    harness.node(openedOf(3))
    const resume = vector()
    harness.node({ type: "updates", handle: 103, complete: true, resume, updates: [] })
    const bytes = new Uint8Array(limits.updateBytesMax + 1)
    const answer = harness.input({ type: "difference", document: notes, bytes })
    expect(only(answer, "rejected")[0]?.update).toMatchObject({ seq: 1, bytes: Uint8Array.of(5) })
    expect(updatesSent(answer)).toEqual([[1, -1, 6]])
    // Nor is it taken for an update of its own, to be refused and kept each time.
    const again = harness.input({ type: "difference", document: notes, bytes })
    expect(only(again, "rejected")).toEqual([])
  })
})
