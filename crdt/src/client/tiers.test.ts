/** The tiers above `node` in a client: rules [T8] [T9] and its side of [N15]–[N17]. */
import { describe, expect, test } from "vitest"
import type { OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import type { NodeMessage, WantTier } from "../protocol/index.ts"
import { TierPositions } from "./tier-positions.ts"
import { ack, emptyClient, Harness, notes, only, origin, other, plans } from "./test/harness.ts"
import { sentOf, updatesSent } from "./test/harness.ts"

const v2 = { version: 2 }

function headsOf(seq: number, from: OriginId = origin, hash = 1): ReadonlyMap<OriginId, Head> {
  return new Map([[from, { seq, hash: new Uint8Array(16).fill(hash) }]])
}

function logged(seq: number, from: OriginId = origin): NodeMessage {
  return { type: "logged", heads: headsOf(seq, from) }
}

function acked(tier: "quorum" | "all", seq: number): NodeMessage {
  return { type: "ack", tier, seq, marks: [] }
}

function wants(effects: Parameters<typeof sentOf>[0]): WantTier[] {
  return sentOf(effects).flatMap((message) => (message.type === "want-tier" ? [message] : []))
}

/** A client with a document open, two updates acked by the first node, and a quorum wanted. */
function withTwoAcked(): Harness {
  const harness = new Harness()
  harness.hold(notes)
  harness.connect(v2)
  harness.serve(1)
  harness.input({ type: "want-tier", tier: "quorum" })
  harness.type(notes, 1)
  harness.type(notes, 2)
  harness.node(logged(7))
  harness.node(ack(2))
  return harness
}

describe("a connection", () => {
  test("[N15] [F6] a node of version 1 is asked nothing, and the app is told so", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.input({ type: "want-tier", tier: "all" })
    expect(wants(harness.effects)).toEqual([])
    harness.connect({ version: 1 })
    harness.serve(1)
    harness.type(notes, 1)
    harness.node(ack(1))
    expect(wants(harness.effects)).toEqual([])
    // Where it is nobody said: that stays unknown on a later node too.
    expect(harness.core.statusOf(notes)?.all.state).toBe("lost")
    harness.type(notes, 2)
    expect(harness.core.statusOf(notes)?.all.state).toBe("unknown")
    expect(only(harness.node(logged(1)), "disconnect")).toHaveLength(1)
  })

  test("[N15] what is acked and not at the tier is said to the next node, with its place", () => {
    const harness = withTwoAcked()
    harness.close()
    harness.redial()
    const before = harness.effects.length
    harness.connect({ ...v2, origin: other })
    expect(wants(harness.effects.slice(before))).toEqual([
      { type: "want-tier", tier: "node", fromSeq: 3, marks: [] },
      {
        type: "want-tier",
        tier: "quorum",
        fromSeq: 1,
        marks: [{ toSeq: 2, heads: headsOf(7) }],
      },
    ])
  })

  test("[N16] nothing is sent until the node said where it logged what it welcomed", () => {
    const harness = new Harness()
    harness.hold(notes)
    harness.type(notes, 1)
    harness.type(notes, 2)
    harness.connect()
    harness.serve(1)
    harness.close()
    harness.redial()
    const before = harness.effects.length
    harness.connect({ ...v2, loggedSeq: 1 })
    harness.serve(1)
    expect(updatesSent(harness.effects.slice(before))).toEqual([])
    harness.node(logged(4))
    expect(updatesSent(harness.effects.slice(before))).toEqual([[2, 2]])
    harness.input({ type: "want-tier", tier: "quorum" })
    const want = wants(harness.effects).at(-1)
    expect(want?.marks).toEqual([{ toSeq: 1, heads: headsOf(4) }])
  })

  test("[T8] what is acked is in storage before anything goes to the next node", () => {
    const harness = withTwoAcked()
    harness.type(notes, 3)
    harness.type(notes, 4)
    harness.storing = false
    harness.node(logged(8))
    harness.node(ack(3))
    harness.close()
    harness.redial()
    const before = harness.effects.length
    harness.connect({ ...v2, origin: other })
    harness.serve(1)
    const sent = () => updatesSent(harness.effects.slice(before))
    expect(sent()).toEqual([])
    harness.input({ type: "stored", result: { ok: true } })
    expect(sent()).toEqual([[4, 4]])
  })

  test("[T8] where an update is goes into storage before, or with, that it was acked", () => {
    const { writes } = withTwoAcked()
    const types = writes.map(({ type }) => type)
    expect(types.indexOf("tiers")).toBeLessThan(types.indexOf("outbox-trim"))
    const state = writes.findLast((write) => write.type === "tiers")?.state
    const positions = new TierPositions(state, 2)
    expect(positions.wantOf("all").marks).toEqual([{ toSeq: 2, heads: headsOf(7) }])
  })

  test("[N15] an ack of a tier nobody asked for, or of what no node acked, is a violation", () => {
    expect(only(withTwoAcked().node(acked("quorum", 3)), "disconnect")).toHaveLength(1)
    expect(only(withTwoAcked().node(acked("all", 2)), "disconnect")).toHaveLength(1)
    expect(only(withTwoAcked().node(acked("quorum", 2)), "disconnect")).toEqual([])
  })
})

describe("status", () => {
  test("[T9] [N17] says how far it is, and whom it waits for", () => {
    const harness = withTwoAcked()
    const status = () => harness.core.statusOf(notes)
    expect(status()).toMatchObject({ savedTo: "node", quorum: { state: "pending" } })
    const missing = [{ member: "n3", linked: false, forMs: 400 }]
    harness.node({ type: "tier-status", tier: "quorum", seq: 0, missing, lostTo: 0 })
    const waitingFor = [{ member: "n3", linked: false, sinceMs: harness.nowMs - 400 }]
    expect(status()?.quorum).toEqual({ state: "pending", connected: true, waitingFor })
    harness.node(acked("quorum", 2))
    expect(status()).toMatchObject({ savedTo: "quorum", quorum: { state: "saved" } })
    expect(status()?.all).toEqual({ state: "unasked" })
    harness.type(notes, 3)
    expect(status()?.quorum.state).toBe("pending")
  })

  test("[T9] of a document that was opened anew is told when all that is acked is there", () => {
    const harness = withTwoAcked()
    harness.hold(plans)
    expect(harness.core.statusOf(plans)?.quorum.state).toBe("pending")
    const effects = only(harness.node(acked("quorum", 2)), "document-status")
    expect(effects.map(({ document, status }) => [document, status.quorum.state])).toEqual(
      expect.arrayContaining([
        [notes, "saved"],
        [plans, "saved"],
      ]),
    )
  })

  test("[T6] [T9] what is lost holds up nothing that comes after it", () => {
    const harness = withTwoAcked()
    harness.node({ type: "tier-status", tier: "quorum", seq: 0, missing: [], lostTo: 2 })
    expect(harness.core.statusOf(notes)?.quorum).toEqual({ state: "lost" })
    harness.type(notes, 3)
    harness.node(logged(8))
    harness.node(ack(3))
    harness.node(acked("quorum", 3))
    expect(harness.core.statusOf(notes)).toMatchObject({ savedTo: "quorum" })
    expect(harness.core.tierOf("quorum", 2)).toEqual({ state: "lost" })
  })
})

describe("positions", () => {
  test("[T6] [T8] lost at `all` stays lost at quorum when what came after it is at `all`", () => {
    const positions = new TierPositions(undefined, 0)
    positions.connected(0, true)
    positions.logged(headsOf(5))
    positions.acked(4)
    positions.tierAcked("quorum", 1)
    positions.lost("all", 3)
    positions.tierAcked("all", 4)
    const states = [1, 2, 3, 4].map((seq) => positions.stateOf("quorum", seq))
    expect(states).toEqual(["reached", "lost", "lost", "reached"])
  })

  test("[T8] survive a restart, byte for byte", () => {
    const positions = new TierPositions(undefined, 0)
    positions.connected(0, true)
    positions.logged(headsOf(5))
    positions.acked(3)
    positions.tierAcked("quorum", 2)
    const again = new TierPositions(positions.encode(), 3)
    expect(again.encode()).toEqual(positions.encode())
    expect(again.stateOf("quorum", 2)).toBe("reached")
    expect(again.stateOf("quorum", 3)).toBe("pending")
  })

  test("[T8] a head of one connection never stands for one of another", () => {
    const positions = new TierPositions(undefined, 0)
    for (const hash of [1, 2]) {
      positions.connected(0, true)
      positions.logged(headsOf(5 + hash, origin, hash))
      positions.acked(hash)
    }
    expect(positions.wantOf("all").marks).toEqual([
      { toSeq: 1, heads: headsOf(6, origin, 1) },
      { toSeq: 2, heads: headsOf(7, origin, 2) },
    ])
  })

  test("[T8] what left the outbox and has no place is lost, and so is garbage", () => {
    const positions = new TierPositions(undefined, 0)
    positions.connected(0, true)
    positions.logged(headsOf(5))
    positions.acked(3)
    const late = new TierPositions(positions.encode(), 4)
    expect(late.stateOf("quorum", 4)).toBe("lost")
    expect(late.wantOf("quorum")).toEqual({ fromSeq: 5, marks: [] })
    const garbage = new TierPositions(Uint8Array.of(1, 255), 9)
    expect([garbage.stateOf("all", 9), garbage.stateOf("all", 10)]).toEqual(["lost", "pending"])
  })

  test("[T8] past so many marks the oldest is given up", () => {
    const positions = new TierPositions(undefined, 0)
    for (let seq = 1; seq <= 33; seq++) {
      positions.connected(0, true)
      positions.logged(headsOf(seq))
      positions.acked(seq)
    }
    const { fromSeq, marks } = positions.wantOf("all")
    expect([fromSeq, marks.length]).toEqual([2, 32])
    expect(positions.stateOf("all", 1)).toBe("lost")
  })

  test("[T8] what is at every tier needs no mark", () => {
    const positions = new TierPositions(undefined, 0)
    positions.connected(0, true)
    positions.logged(headsOf(5))
    positions.acked(3)
    positions.tierAcked("all", 3)
    expect(positions.stateOf("quorum", 3)).toBe("reached")
    expect(positions.wantOf("quorum")).toEqual({ fromSeq: 4, marks: [] })
  })
})

test("[T8] a client that never knew of tiers starts with nothing lost", () => {
  const { core } = new Harness({ stored: emptyClient() })
  expect(core.tierSeqOf(notes)).toBe(0)
})
