/** Documents on the connection: open, catch up, resume points, presence, close. */
import { describe, expect, test } from "vitest"
import { documentIdOf, limits, utf8Encode } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { presenceGone } from "../protocol/index.ts"
import type { NodeMessage, PresenceEntry } from "../protocol/index.ts"
import { clientLimits } from "./client-limits.ts"
import { ack, Harness, must, notes, only, openedOf, origin, other, plans } from "./test/harness.ts"
import { sentOf, updatesSent, vector } from "./test/harness.ts"
import type { ClientEffect } from "./effect.ts"

function updates(resume: VersionVector, complete: boolean, ...values: number[]): NodeMessage {
  const list = values.map((value) => Uint8Array.of(value))
  return { type: "updates", handle: 101, complete, resume, updates: list }
}

function numbered(index: number): DocumentId {
  return must(documentIdOf("yjs", `document ${index}`))
}

function entriesOf(point: VersionVector | undefined): unknown {
  return point?.entries()
}

function opening(): Harness {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect()
  return harness
}

describe("opening", () => {
  test("[N3] each document gets its own channel, with what the replica has", () => {
    const harness = new Harness()
    harness.hold(notes, { type: "summary", summary: Uint8Array.of(9) })
    harness.hold(plans)
    expect(harness.connect()).toMatchObject([
      { type: "hello" },
      { type: "open", channel: 1, document: notes, resume: { type: "summary" } },
      { type: "open", channel: 2, document: plans, resume: { type: "nothing" } },
    ])
  })

  test("[N3] [C2] after a reconnect documents resume by vector, on channels counted anew", () => {
    const harness = opening()
    harness.node(openedOf(1))
    harness.node(updates(vector([origin, 5]), true, 1))
    harness.close()
    expect(harness.core.statusOf(notes)?.freshness.state).toBe("stale")
    harness.redial()
    const open = harness.connect().at(-1)
    expect(open).toMatchObject({ type: "open", channel: 1, resume: { type: "vector" } })
    if (open?.type !== "open" || open.resume.type !== "vector") throw new Error("not a vector")
    expect(open.resume.vector.entries()).toEqual([[origin, 5]])
  })

  test("a document opened again after it was left starts from what the new replica has", () => {
    const harness = opening()
    harness.node(openedOf(1))
    harness.node(updates(vector([origin, 5]), true, 1))
    const pending = harness.type(notes, 1)
    expect(updatesSent(pending)).toEqual([[1, 1]])
    expect(sentOf(harness.input({ type: "close-document", document: notes }))).toEqual([])
    expect(only(harness.node(updates(vector([origin, 6]), false, 2)), "deliver")).toEqual([])
    expect(sentOf(harness.hold(notes))).toMatchObject([
      { type: "close-document", channel: 1 },
      { type: "open", channel: 2, resume: { type: "nothing" } },
    ])
  })

  test("[N10] a document that is let go leaves its channel once its updates are acked", () => {
    const harness = opening()
    harness.serve(1)
    harness.type(notes, 1)
    expect(sentOf(harness.input({ type: "close-document", document: notes }))).toEqual([])
    expect(sentOf(harness.node(ack(1)))).toMatchObject([{ type: "close-document", channel: 1 }])
    expect(harness.core.statusOf(notes)).toBeUndefined()
  })

  test("past the channels of a connection documents wait for one", () => {
    const harness = new Harness()
    for (let index = 0; index <= limits.channelsPerConnectionMax; index++) {
      harness.hold(numbered(index))
    }
    expect(harness.connect()).toHaveLength(1 + limits.channelsPerConnectionMax)
    const closed = sentOf(harness.input({ type: "close-document", document: numbered(0) }))
    expect(closed.map(({ type }) => type)).toEqual(["close-document", "open"])
  })
})

describe("catching up", () => {
  test("[N4] updates are delivered in order; the document is live once they are complete", () => {
    const harness = opening()
    harness.node(openedOf(1))
    const first = only(harness.node(updates(vector([origin, 2]), false, 1, 2)), "deliver")[0]
    expect(first).toMatchObject({ document: notes })
    expect(harness.core.statusOf(notes)?.freshness.state).toBe("unknown")
    expect(first?.updates).toEqual([Uint8Array.of(1), Uint8Array.of(2)])
    const last = only(harness.node(updates(vector([other, 3]), true)), "deliver")[0]
    expect(entriesOf(last?.resume)).toEqual([
      [origin, 2],
      [other, 3],
    ])
    expect(harness.core.statusOf(notes)).toMatchObject({
      freshness: { state: "live" },
      access: "write",
    })
  })

  test("[C5] acks before the catch-up is complete move the resume point only with it", () => {
    const harness = opening()
    harness.type(notes, 1)
    harness.node(ack(1, [1, 7]))
    expect(harness.core.resumeOf(notes)).toBeUndefined()
    harness.node(openedOf(1))
    harness.node(updates(vector([origin, 3]), false, 1))
    expect(entriesOf(harness.core.resumeOf(notes))).toEqual([[origin, 3]])
    const complete = harness.node(updates(vector([origin, 5]), true, 2))
    expect(entriesOf(only(complete, "deliver")[0]?.resume)).toEqual([[origin, 7]])
    harness.type(notes, 2)
    const acked = harness.node(ack(2, [1, 9]))
    expect(entriesOf(only(acked, "resume")[0]?.resume)).toEqual([[origin, 9]])
  })

  test("[C5] a cut before complete forgets the marks that were held back", () => {
    const harness = opening()
    harness.type(notes, 1)
    harness.node(openedOf(1))
    harness.node(ack(1, [1, 7]))
    harness.close()
    harness.redial()
    const sent = harness.connect({ loggedSeq: 1 })
    expect(sent.at(-1)).toMatchObject({ type: "open", resume: { type: "nothing" } })
  })

  test("[C5] a frame that says nothing yet does not replace a better resume point", () => {
    const harness = new Harness()
    harness.hold(notes, { type: "summary", summary: Uint8Array.of(9) })
    harness.connect()
    harness.node(openedOf(1))
    harness.node(updates(vector(), false, 1))
    harness.close()
    harness.redial()
    expect(harness.connect().at(-1)).toMatchObject({ resume: { type: "summary" } })
  })

  test("[C5] a replica that refused an update is caught up from the start, on the next try", () => {
    const harness = opening()
    harness.serve(1, vector([origin, 5]))
    harness.node(updates(vector([origin, 6]), false, 66))
    harness.input({ type: "deliver-failed", document: notes, message: "no" })
    expect(harness.core.statusOf(notes)?.error?.code).toBe("apply-failed")
    expect(only(harness.node(updates(vector([origin, 7]), false, 7)), "deliver")).toEqual([])
    expect(updatesSent(harness.type(notes, 1))).toEqual([[1, 1]])
    harness.close()
    harness.redial()
    expect(harness.connect()[1]).toMatchObject({ type: "open", resume: { type: "nothing" } })
  })

  test("[N8] repeats are delivered and leave the resume point where it is", () => {
    const harness = opening()
    harness.serve(1, vector([origin, 5]))
    const again = only(harness.node(updates(vector([origin, 4]), false, 4)), "deliver")[0]
    expect(entriesOf(again?.resume)).toEqual([[origin, 5]])
  })

  test("updates of a document that was left are ignored", () => {
    const harness = opening()
    harness.serve(1)
    harness.input({ type: "close-document", document: notes })
    expect(harness.node(updates(vector([origin, 1]), false, 1))).toEqual([])
  })
})

describe("what the node lacks", () => {
  test("[N4] once caught up the replica is compared, but for what is on its way", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.type(notes, 1)
    harness.connect()
    harness.type(notes, 2)
    harness.node(openedOf(1))
    harness.node(ack(2))
    harness.type(notes, 3)
    const effects = harness.node(updates(vector([origin, 1]), true, 9))
    const kinds = effects.map(({ type }) => type)
    expect(kinds.indexOf("deliver")).toBeLessThan(kinds.indexOf("node-summary"))
    const outgoing = [1, 2, 3].map((value) => Uint8Array.of(value))
    expect(only(effects, "node-summary")).toEqual([
      { type: "node-summary", document: notes, summary: Uint8Array.of(0), outgoing },
    ])
    const bytes = Uint8Array.of(8)
    expect(updatesSent(harness.input({ type: "difference", document: notes, bytes }))).toEqual([
      [4, 8],
    ])
  })

  test("[N4] a node that says no summary is not compared with", () => {
    const harness = opening()
    const summary = new Uint8Array(0)
    const opened = { ...openedOf(1), summary } as const
    harness.node(opened)
    const effects = harness.node(updates(vector([origin, 1]), true))
    expect(only(effects, "node-summary")).toEqual([])
  })
})

describe("documents a node closes", () => {
  test("[N10] a document that could not be read is opened again after a back-off", () => {
    const harness = opening()
    const closed = { type: "document-closed", channel: 1, code: "read-failed" } as const
    harness.node({ ...closed, message: "disk" })
    expect(harness.core.statusOf(notes)?.error).toEqual({
      code: "read-failed",
      message: "disk",
      retryable: true,
    })
    const sent = sentOf(harness.advance(clientLimits.reopenBackoffMsMin))
    expect(sent).toMatchObject([{ type: "open", channel: 2, document: notes }])
    harness.node(openedOf(2))
    expect(harness.core.statusOf(notes)?.error).toBeUndefined()
  })

  test("[N10] [C3] what waits for a document that is closed for good is rejected", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.hold(plans)
    harness.connect({ windowBytes: 1 })
    harness.type(notes, 1)
    harness.type(notes, 2)
    harness.type(plans, 3)
    const closed = { type: "document-closed", channel: 1, code: "permission-denied" } as const
    const effects = harness.node({ ...closed, message: "no" })
    const rejected = only(effects, "rejected").map(({ update }) => [update.seq, update.code])
    expect(rejected).toEqual([[2, "permission-denied"]])
    // 1 was under way and comes back: it is rejected too, and its number is filled.
    const late = { type: "reject", seq: 1, code: "document-not-open", message: "" } as const
    expect(only(harness.node(late), "rejected")).toHaveLength(1)
    expect(updatesSent(harness.effects).at(-1)).toEqual([1, -1, -1, 3])
    expect(only(harness.type(notes, 4), "rejected")).toHaveLength(1)
    expect(harness.core.pendingDocuments()).toEqual([plans])
  })
})

describe("presence", () => {
  const state = utf8Encode('{"x":1}')

  function shown(effects: readonly ClientEffect[]): PresenceEntry[] {
    return only(effects, "presence").flatMap(({ entries }) => entries)
  }

  function said(effects: readonly ClientEffect[]): [number, string][] {
    return sentOf(effects).flatMap((message) => {
      if (message.type !== "presence") return []
      return message.entries.map(({ clock, state: bytes }): [number, string] => {
        return [clock, String.fromCharCode(...bytes)]
      })
    })
  }

  function present(): Harness {
    const harness = opening()
    harness.serve(1)
    harness.input({ type: "local-presence", document: notes, client: 5, state })
    return harness
  }

  function presence(...entries: PresenceEntry[]): NodeMessage {
    return { type: "document-presence", handle: 101, entries }
  }

  test("[N9] the latest state goes out at once, then at most every few milliseconds", () => {
    const harness = present()
    expect(said(harness.effects)).toEqual([[1, '{"x":1}']])
    for (const text of ['{"x":2}', '{"x":3}']) {
      const later = { document: notes, client: 5, state: utf8Encode(text) }
      expect(said(harness.input({ type: "local-presence", ...later }))).toEqual([])
    }
    expect(said(harness.advance(clientLimits.presencePaceMs))).toEqual([[2, '{"x":3}']])
  })

  test("[N9] it is renewed in time and after a reconnect, each time with a new clock", () => {
    const harness = present()
    expect(said(harness.live(clientLimits.presenceRenewMs)).at(-1)).toEqual([2, '{"x":1}'])
    harness.close()
    const before = harness.effects.length
    harness.redial()
    harness.connect()
    expect(said(harness.effects.slice(before))).toEqual([[3, '{"x":1}']])
  })

  test("[N9] a state the node calls gone is said again, with a higher clock", () => {
    const harness = present()
    harness.advance(clientLimits.presencePaceMs)
    const gone = harness.node(presence({ client: 5, clock: 40, state: presenceGone }))
    expect(said(gone)).toEqual([[41, '{"x":1}']])
    expect(shown(gone)).toEqual([])
  })

  test("[N9] a higher clock wins, an equal one only if it says null", () => {
    const harness = present()
    const at = (clock: number, bytes = state): ClientEffect[] => {
      return harness.node(presence({ client: 6, clock, state: bytes }))
    }
    expect(shown(at(3))).toHaveLength(1)
    expect(shown(at(3))).toHaveLength(0)
    expect(shown(at(2, presenceGone))).toHaveLength(0)
    expect(shown(at(3, presenceGone))).toEqual([{ client: 6, clock: 3, state: presenceGone }])
  })

  test("[N19] while it shows presence it pings more often, where nodes watch for that", () => {
    const pings = (version: number): number[] => {
      const harness = new Harness()
      harness.hold(notes)
      harness.connect({ version })
      harness.node(openedOf(1, 101))
      const count = (): number => {
        const passed = harness.live(4 * limits.clientHeartbeatMs)
        return sentOf(passed).filter(({ type }) => type === "ping").length
      }
      const set = (bytes: Uint8Array): void => {
        harness.input({ type: "local-presence", document: notes, client: 5, state: bytes })
      }
      const idle = count()
      set(state)
      const quick = count()
      set(presenceGone)
      return [idle, quick, count()]
    }
    const most = (4 * limits.clientHeartbeatMs) / limits.presencePingMs
    expect(pings(2)).toEqual([4, 4, 4])
    expect(pings(3)).toEqual([4, most, 4])
  })

  test("[N9] when the connection is lost the others are gone", () => {
    const harness = present()
    harness.node(presence({ client: 6, clock: 3, state }))
    expect(shown(harness.close())).toEqual([{ client: 6, clock: 3, state: presenceGone }])
  })

  test("[N9] leaving a document says so before the channel is closed", () => {
    const harness = present()
    const sent = harness.input({ type: "close-document", document: notes })
    expect(said(sent)).toEqual([[2, "null"]])
    expect(sentOf(sent).map(({ type }) => type)).toEqual(["presence", "close-document"])
  })

  test("[N9] a document that is opened again goes on with higher clocks", () => {
    const harness = present()
    harness.input({ type: "close-document", document: notes })
    const before = harness.effects.length
    harness.hold(notes)
    harness.node(openedOf(2, 102))
    harness.input({ type: "local-presence", document: notes, client: 5, state })
    harness.advance(clientLimits.presencePaceMs)
    expect(said(harness.effects.slice(before))).toEqual([[3, '{"x":1}']])
  })

  test("[N9] a state that is taken back before it was sent is not sent", () => {
    const harness = present()
    const cursor = { type: "local-presence", document: notes, client: 6 } as const
    harness.input({ ...cursor, state })
    harness.input({ ...cursor, state: presenceGone })
    expect(said(harness.advance(clientLimits.presencePaceMs))).toEqual([])
  })

  test("no more of the others are kept than the limit, and no state over its size", () => {
    const harness = opening()
    harness.serve(1)
    const crowd = (from: number, count: number): ClientEffect[] => {
      const clients = Array.from({ length: count }, (_, index) => from + index)
      return harness.node(presence(...clients.map((client) => ({ client, clock: 1, state }))))
    }
    expect(shown(crowd(100, limits.presenceClientsMax))).toHaveLength(limits.presenceClientsMax)
    expect(shown(crowd(5000, 1))).toEqual([])
    const large = new Uint8Array(limits.presenceStateBytesMax + 1)
    const said2 = { type: "local-presence", document: notes, client: 5, state: large } as const
    expect(only(harness.input(said2), "emit")[0]?.event.type).toBe("presence-too-large")
  })
})
