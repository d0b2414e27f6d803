/** Pages of a state transfer, from peers whose every message is written here. Rule [K8]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { encodeRecord, genesisHash } from "../log/index.ts"
import type { LogEntry } from "../log/index.ts"
import type { LinkMessage, TransferPage, TransferPlace } from "../protocol/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { documentNamed, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { linked } from "./test/peer.ts"
import type { Peer } from "./test/peer.ts"

const lost = testOrigin("lost")
const heads = new Map([[lost, { seq: 9, hash: genesisHash }]])
const records = { phase: "records", after: undefined } as const

/** A peer that has of `lost` only what it amounts to. */
function holder(node: TestNode, name: string, claimed = heads): Peer {
  const peer = linked(node, name, { heads: claimed })
  for (const [origin, { seq }] of claimed) {
    peer.send({ type: "truncated", origin, floorSeq: seq })
  }
  node.world.settle()
  return peer
}

function page(fields: Partial<TransferPage>): LinkMessage {
  return { type: "transfer-page", heads, records: [], clients: [], next: undefined, ...fields }
}

function recordAt(seq: number): LogEntry {
  const document = documentNamed(`d${seq}`)
  return { origin: lost, seq, record: encodeRecord({ kind: "delete", atMs: 1, document }) }
}

function behind(seq: number): TransferPlace {
  return { phase: "records", after: { origin: lost, seq } }
}

function answer(peer: Peer, message: LinkMessage): void {
  peer.send(message)
  peer.node.world.settle()
}

function lastPlace(peer: Peer): TransferPlace | undefined {
  return peer.of("transfer-want").at(-1)?.place
}

describe("entries of no document", () => {
  test("[K8] another peer goes on where one stopped; after a restart all come again", () => {
    const world = new World()
    const node = world.node()
    const p1 = holder(node, "p1")
    const p2 = holder(node, "p2")
    answer(p1, page({ next: records }))
    expect(lastPlace(p1)).toEqual(records)
    answer(p1, page({ records: [1, 3].map(recordAt), next: behind(3) }))
    expect(lastPlace(p1)).toEqual(behind(3))
    world.clientCloses(p1.id)
    world.advance(limits.sweepMs)
    expect(lastPlace(p2)).toEqual(behind(3))
    node.crash()
    const p3 = holder(node, "p3")
    expect(lastPlace(p3)).toEqual(records)
    answer(p3, page({ records: [1, 3].map(recordAt), next: behind(3) }))
    // Nothing of it is claimed before all is here.
    expect(node.store.log.head(lost).seq).toBe(0)
    expect(node.core.status().deletions).toBe(0)
    // It is one that holds less: no more than that is claimed.
    const less = new Map([[lost, { seq: 5, hash: genesisHash }]])
    answer(p3, page({ records: [5, 7].map(recordAt), heads: less }))
    world.settle()
    expect(node.store.log.head(lost).seq).toBe(5)
    expect(node.core.status().deletions).toBe(3)
  })

  test("[K8] [L11] out of their order they are malformed", () => {
    const odd: [asked: TransferPlace, sent: Partial<TransferPage>][] = [
      [
        { phase: "documents", after: undefined },
        { records: [recordAt(1)], next: records },
      ],
      [{ phase: "documents", after: undefined }, { next: behind(1) }],
      [records, { records: [3, 1].map(recordAt) }],
      [records, { records: [1, 1].map(recordAt) }],
      [records, { records: [1, 3].map(recordAt), next: behind(1) }],
      [records, { records: [1, 3].map(recordAt), next: behind(4) }],
      [records, { next: behind(1) }],
      [records, { records: [recordAt(1)], next: records }],
      [behind(3), { records: [recordAt(3)] }],
    ]
    for (const [asked, sent] of odd) {
      const world = new World()
      const peer = holder(world.node(), "p1")
      if (asked.phase === "records") answer(peer, page({ next: records }))
      if (asked.phase === "records" && asked.after !== undefined) {
        answer(peer, page({ records: [1, 3].map(recordAt), next: asked }))
      }
      expect(lastPlace(peer)).toEqual(asked)
      answer(peer, page(sent))
      expect(peer.closed).toEqual({ reason: "malformed" })
    }
  })
})

describe("a peer that can't read", () => {
  test("[K8] [L11] who can't read a page says so, and is not asked again at once", () => {
    const world = new World()
    const node = world.node()
    const [p1, p2] = ["p1", "p2"].map((name) => holder(node, name))
    if (p1 === undefined || p2 === undefined) throw new TypeError()
    const asked = () => [p1, p2].map((peer) => peer.of("transfer-want").length)
    expect(asked()).toEqual([1, 0])
    answer(p1, { type: "transfer-failed", code: "store-failed" })
    // At once, without a sweep.
    expect(asked()).toEqual([1, 1])
    answer(p2, { type: "transfer-failed", code: "corrupt" })
    expect(node.eventsOf("transfer-refused")).toMatchObject([
      { peer: "p1", code: "store-failed" },
      { peer: "p2", code: "corrupt" },
    ])
    const until = world.nowMs + limits.transferPatienceMs - limits.sweepMs
    while (world.nowMs < until) {
      world.advance(limits.sweepMs / 2)
      for (const peer of [p1, p2]) peer.send({ type: "ping" })
    }
    expect(asked()).toEqual([1, 1])
    world.advance(2 * limits.sweepMs)
    expect(asked()).toEqual([2, 1])
    // It is over, or never began.
    answer(p2, { type: "transfer-failed", code: "corrupt" })
    expect(p2.closed).toBe(undefined)
    answer(p1, page({}))
    expect(node.store.log.head(lost).seq).toBe(9)
  })

  test("[K8] [L11] a node whose store fails says that it can't read, in each phase", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node, "p1")
    const places: TransferPlace[] = [
      { phase: "documents", after: undefined },
      { phase: "clients", after: undefined },
      records,
    ]
    const since = new VersionVector()
    for (const place of places) {
      const before = peer.got.length
      node.store.readFailure = "store-failed"
      answer(peer, { type: "transfer-want", since, place })
      const failed = { type: "transfer-failed", code: "store-failed" }
      expect(peer.got.slice(before)).toEqual([failed])
      node.store.readFailure = undefined
      answer(peer, { type: "transfer-want", since, place })
      expect(peer.got.slice(before)).toMatchObject([failed, { type: "transfer-page" }])
    }
    expect(node.eventsOf("transfer-unreadable")).toHaveLength(places.length)
  })
})

describe("a floor that nobody has", () => {
  test("[K8] [X7] who claims it begins a transfer less and less often", () => {
    const world = new World()
    const node = world.node()
    const huge = new Map([[lost, { seq: 10 ** 9, hash: genesisHash }]])
    const liar = holder(node, "liar", huge)
    const asked = () => liar.of("transfer-want").length
    const hours = 3_600_000
    let answered = 0
    const pass = (ms: number): void => {
      for (const until = world.nowMs + ms; world.nowMs < until;) {
        world.advance(limits.sweepMs)
        liar.send({ type: "ping" })
        liar.send({ type: "truncated", origin: lost, floorSeq: 10 ** 9 })
        for (; answered < asked(); answered++) answer(liar, page({ heads: new Map() }))
      }
    }
    pass(hours)
    expect(node.eventsOf("transfer-done").length).toBe(asked())
    // 15 s, doubling: eight times in the first hour.
    expect(asked()).toBeGreaterThan(4)
    expect(asked()).toBeLessThan(10)
    // Nobody else pays for it: another one is believed, and brings what it has.
    const honest = holder(node, "honest")
    expect(honest.of("transfer-want")).toHaveLength(1)
    answer(honest, page({}))
    expect(node.store.log.head(lost).seq).toBe(9)
  })

  test("[K8] [X7] nor does it with another origin each time, nor on another link", () => {
    const world = new World()
    const node = world.node()
    let wants = 0
    const minutes = 10
    const rounds = (minutes * 60_000) / limits.sweepMs
    let liar: Peer | undefined
    for (let round = 0; round < rounds; round++) {
      const origin: OriginId = testOrigin("lost", round + 1)
      const claim = new Map([[origin, { seq: 10 ** 9, hash: genesisHash }]])
      if (liar !== undefined && liar.closed === undefined) world.clientCloses(liar.id)
      liar = holder(node, "liar", claim)
      if (liar.of("transfer-want").length > 0) answer(liar, page({ heads: new Map() }))
      wants += liar.of("transfer-want").length
      world.advance(limits.sweepMs)
    }
    expect(wants).toBeGreaterThan(1)
    expect(wants).toBeLessThanOrEqual(1 + (minutes * 60_000) / limits.transferPatienceMs)
  })

  test("[K8] another peer's lesser pages are not held against who goes on", () => {
    const world = new World()
    const node = world.node()
    const p1 = holder(node, "p1", new Map([[testOrigin("other"), { seq: 3, hash: genesisHash }]]))
    answer(p1, page({ heads: new Map(), next: { phase: "clients", after: undefined } }))
    const p2 = holder(node, "p2")
    world.clientCloses(p1.id)
    world.advance(limits.sweepMs)
    expect(lastPlace(p2)).toEqual({ phase: "clients", after: undefined })
    // What p1 had stands for nothing of `lost`.
    answer(p2, page({}))
    expect(node.store.log.head(lost).seq).toBe(0)
    world.advance(limits.sweepMs)
    expect(lastPlace(p2)).toEqual({ phase: "documents", after: undefined })
    answer(p2, page({}))
    expect(node.store.log.head(lost).seq).toBe(9)
  })
})
