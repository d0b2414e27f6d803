/** What a node takes from peers and asks for, against peers that the test writes: [L5] [L6]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { chainHash, chainRecords, emptyHead, genesisHash } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { openNative, openStock, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { headAfter, linked, recordOf, recordsOf } from "./test/peer.ts"

const notes = documentNamed("notes")
const far = testOrigin("far")
const records = (count: number) => recordsOf(notes, count)

describe("adopting", () => {
  const setup = () => {
    const world = new World()
    const node = world.node()
    return { world, node, peer: linked(node, "far"), run: records(6) }
  }
  const held = (node: TestNode) => node.store.log.head(far).seq

  test("[L6] known entries are skipped, what continues the log is adopted", () => {
    const { world, node, peer, run } = setup()
    peer.entries(far, 1, run.slice(0, 3))
    world.advance(10)
    peer.entries(far, 1, run.slice(0, 5))
    peer.entries(far, 2, run.slice(1, 3), chainHash(genesisHash, far, 1, must(run[0])))
    world.advance(10)
    expect(node.store.log.head(far)).toEqual(headAfter(far, run.slice(0, 5)))
    expect(node.eventsOf("fork-detected")).toEqual([])
  })

  test("[L6] a run follows another that is still on its way to the disk", () => {
    const { world, node, peer, run } = setup()
    node.store.held = true
    peer.entries(far, 1, run.slice(0, 2))
    peer.entries(far, 3, run.slice(2, 4), headAfter(far, run.slice(0, 2)).hash)
    peer.entries(far, 4, run.slice(3), headAfter(far, run.slice(0, 3)).hash)
    world.settle()
    node.store.held = false
    world.advance(10)
    expect(node.store.log.head(far)).toEqual(headAfter(far, run))
    expect(peer.of("want")).toEqual([])
  })

  test("[L6] a gap is asked for, once", () => {
    const { world, node, peer, run } = setup()
    const late = headAfter(far, run.slice(0, 4)).hash
    peer.entries(far, 5, run.slice(4), late)
    peer.entries(far, 5, run.slice(4), late)
    world.settle()
    expect(peer.of("want")).toEqual([{ type: "want", origin: far, fromSeq: 1 }])
    expect(held(node)).toBe(0)
  })

  test.each([
    ["at its start", 1],
    ["at its end", 4],
  ])(
    "[L6] a chain that differs %s is a fork: reported once, nothing more adopted from it here",
    (_, at) => {
      const { world, node, peer, run } = setup()
      peer.entries(far, 1, run.slice(0, 4))
      world.advance(10)
      const others = run.map((record, index) => (index === at - 1 ? must(records(9)[8]) : record))
      peer.entries(far, 1, others)
      peer.entries(far, 5, run.slice(4), headAfter(far, run.slice(0, 4)).hash)
      world.advance(10)
      expect(node.eventsOf("fork-detected")).toEqual([
        { type: "fork-detected", origin: far, seq: 4, peer: "far" },
      ])
      expect(held(node)).toBe(4)
      // Another link is asked, and may bring what continues our log.
      const honest = linked(node, "honest", { heads: new Map([[far, headAfter(far, run)]]) })
      world.advance(limits.linkWantMs * 3)
      expect(honest.of("want").at(-1)).toEqual({ type: "want", origin: far, fromSeq: 5 })
      honest.entries(far, 5, run.slice(4), headAfter(far, run.slice(0, 4)).hash)
      world.advance(10)
      expect(held(node)).toBe(6)
    },
  )

  test("[L6] a peer whose head has our seq and another hash has a fork", () => {
    const { world, node, peer, run } = setup()
    peer.entries(far, 1, run.slice(0, 2))
    world.advance(10)
    linked(node, "liar", { heads: new Map([[far, { seq: 2, hash: new Uint8Array(16).fill(9) }]]) })
    expect(node.eventsOf("fork-detected")).toMatchObject([{ origin: far, peer: "liar" }])
  })

  test("[L6] own entries are never adopted", () => {
    const { world, node, peer, run } = setup()
    peer.entries(node.origin, 1, run)
    world.advance(10)
    expect(node.store.log.head(node.origin).seq).toBe(0)
  })

  test("[F4] [D3] an entry that is no record closes the link and is not adopted", () => {
    const { world, node, peer, run } = setup()
    peer.entries(far, 1, [must(run[0]), Uint8Array.of(1, 2, 3)])
    world.advance(10)
    expect(peer.closed?.reason).toBe("malformed")
    expect(held(node)).toBe(0)
  })

  test("[D3] an adopted update that no engine can read is kept, and shown to nobody", () => {
    const { world, node, peer, run } = setup()
    const reader = openStock(node, "notes")
    const native = openNative(node, notes, 1)
    peer.entries(far, 1, [recordOf(notes, Uint8Array.of(9, 9, 9)), must(run[0])])
    world.advance(10)
    expect(held(node)).toBe(2)
    expect(reader.of("update")).toHaveLength(1)
    expect(native.of("updates").at(-1)?.updates).toHaveLength(1)
    expect(openStock(node, "notes").of("step2")).toHaveLength(1)
    const resumed = openNative(node, notes, 2, { type: "vector", vector: new VersionVector() })
    expect(resumed.of("updates").at(-1)?.updates).toHaveLength(1)
    expect(node.eventsOf("updates-unreadable").length).toBeGreaterThan(0)
  })

  test("[D4] what a failing store lost is asked for again when it works", () => {
    const { world, node, peer, run } = setup()
    node.store.appendFailure = "store-full"
    peer.entries(far, 1, run.slice(0, 3))
    world.advance(10)
    peer.vector([far, headAfter(far, run.slice(0, 3))])
    world.advance(3000)
    node.store.appendFailure = undefined
    world.advance(limits.storeRetryMsMax + limits.linkWantMs + limits.linkVectorIntervalMs * 2)
    expect(peer.of("want").at(-1)).toEqual({ type: "want", origin: far, fromSeq: 1 })
    peer.entries(far, 1, run.slice(0, 3))
    world.advance(10)
    expect(held(node)).toBe(3)
  })
})

describe("pulling", () => {
  const third = testOrigin("third")
  const run = records(4)
  const heads = new Map([[third, headAfter(third, run)]])

  test("[L5] one peer at a time is asked, the next when that one brings nothing", () => {
    const world = new World()
    const node = world.node()
    const peers = ["p1", "p2", "p3"].map((name) => linked(node, name, { heads }))
    const asked = () => peers.map((peer) => peer.of("want").length)
    world.advance(limits.linkWantMs - limits.linkVectorIntervalMs * 2)
    expect(asked()).toEqual([1, 0, 0])
    world.advance(limits.linkVectorIntervalMs * 4)
    expect(asked().reduce((sum, count) => sum + count)).toBe(2)
    peers[0]?.entries(third, 1, run)
    world.advance(limits.linkWantMs * 3)
    expect(asked().reduce((sum, count) => sum + count)).toBe(2)
  })

  test.each([1, 2])(
    "[L5] %i who claim all and serve nothing do not keep others from it",
    (liars) => {
      const world = new World()
      const node = world.node()
      const claims = new Map([[third, { seq: 1_000_000, hash: genesisHash }]])
      const silent = ["p1", "p2"]
        .slice(0, liars)
        .map((name) => linked(node, name, { heads: claims }))
      const honest = linked(node, "p3", { heads })
      const wait = (ms: Millis) => {
        for (const peer of [...silent, honest]) peer.send({ type: "ping" })
        world.advance(ms)
      }
      for (let turns = 0; turns <= liars && honest.of("want").length === 0; turns++) {
        wait(limits.linkWantMs + limits.linkVectorIntervalMs * 2)
      }
      expect(honest.of("want")).toEqual([{ type: "want", origin: third, fromSeq: 1 }])
      honest.entries(third, 1, run)
      for (let turns = 0; turns < 4; turns++) wait(limits.linkWantMs)
      // What comes later is asked for at once: they had their turn.
      const all = records(6)
      honest.vector([third, headAfter(third, all)])
      world.settle()
      expect(honest.of("want").at(-1)).toEqual({ type: "want", origin: third, fromSeq: 5 })
      // A gap of theirs is none.
      const wants = silent.map((peer) => peer.of("want").length)
      for (const peer of silent) peer.entries(third, 900, run)
      world.settle()
      expect(silent.map((peer) => peer.of("want").length)).toEqual(wants)
    },
  )

  test("[L5] a peer is asked for so many origins at a time, for others as answers come", () => {
    const world = new World()
    const node = world.node()
    const count = limits.linkWantsMax + 40
    const origins = Array.from({ length: count }, (_, index) => testOrigin(`far${index}`))
    const claims = new Map(origins.map((origin) => [origin, headAfter(origin, run)]))
    const peer = linked(node, "p1", { heads: claims })
    world.settle()
    const wants = peer.of("want").map(({ origin }) => origin)
    expect(new Set(wants).size).toBe(limits.linkWantsMax)
    expect(wants).toHaveLength(limits.linkWantsMax)
    for (const origin of wants.slice(0, 10)) peer.entries(origin, 1, run)
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(peer.of("want")).toHaveLength(limits.linkWantsMax + 10)
    // Elsewhere there is room.
    const other = linked(node, "p2", { heads: claims })
    world.settle()
    expect(other.of("want")).toHaveLength(30)
  })

  test("[L5] when the peer that was asked goes, another is asked at once", () => {
    const world = new World()
    const node = world.node()
    const [first, second] = ["p1", "p2"].map((name) => linked(node, name, { heads }))
    expect(second?.of("want")).toEqual([])
    world.clientCloses(must(first).id)
    world.settle()
    expect(second?.of("want")).toHaveLength(1)
  })

  test("[L5] an origin whose own node is linked is left to push, for a while", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node, "far", { heads: new Map([[far, headAfter(far, run)]]) })
    const other = linked(node, "other", { heads: new Map([[far, headAfter(far, run)]]) })
    world.advance(limits.linkWantMs - limits.linkVectorIntervalMs * 2)
    expect([peer.of("want"), other.of("want")]).toEqual([[], []])
    world.advance(limits.linkVectorIntervalMs * 4)
    expect(peer.of("want").length + other.of("want").length).toBe(1)
  })

  test("[L5] an origin whose own node holds less than others, as its disk was put back", () => {
    const world = new World()
    const node = world.node()
    // Before the other: vectors are looked through in this order.
    const own = linked(node, "far", { heads: new Map([[far, headAfter(far, run.slice(0, 2))]]) })
    own.entries(far, 1, run.slice(0, 2))
    const other = linked(node, "other", { heads: new Map([[far, headAfter(far, run)]]) })
    world.advance(limits.linkWantMs - limits.linkVectorIntervalMs * 2)
    expect(other.of("want")).toEqual([])
    for (const peer of [own, other]) peer.send({ type: "ping" })
    world.advance(limits.linkVectorIntervalMs * 4)
    expect(own.of("want")).toEqual([])
    expect(other.of("want")).toEqual([{ type: "want", origin: far, fromSeq: 3 }])
  })

  test("[N12] freshness counts what a peer has and the node lacks", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node, "far", { heads: new Map([[far, headAfter(far, run)]]) })
    world.advance(limits.sweepMs)
    const client = openNative(node, notes, 1)
    expect(client.of("freshness").at(-1)?.peers).toEqual([{ node: "far", linked: true, behind: 4 }])
    peer.entries(far, 1, run)
    client.send({ type: "ping" })
    world.advance(limits.sweepMs)
    expect(client.of("freshness").at(-1)?.peers).toEqual([{ node: "far", linked: true, behind: 0 }])
  })

  test("[L4] a vector of too many origins closes the link", () => {
    const node = new World().node()
    const peer = linked(node)
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, index): [OriginId, { seq: number; hash: Uint8Array }] => [
        testOrigin("o", from + index),
        { seq: 0, hash: genesisHash },
      ])
    peer.vector(...many(1, limits.originsMax))
    node.world.settle()
    expect(peer.closed).toBeUndefined()
    peer.vector(...many(100_000, 1))
    node.world.settle()
    expect(peer.closed?.reason).toBe("malformed")
  })
})

test("[L6] origins are counted: what a peer makes up can't make our own vector unreadable", () => {
  const world = new World()
  const node = world.node()
  const [record] = records(1)
  let peer = linked(node, "far")
  for (let index = 1; index <= limits.originsMax + 10; index++) {
    peer.entries(testOrigin("made-up", index), 1, [must(record)])
    peer.entries(testOrigin("gap", index), 5, [must(record)])
    peer.entries(testOrigin("fork", index), 1, [must(record)], new Uint8Array(16).fill(1))
    if (index % 100 === 0) world.advance(5)
    if (peer.closed !== undefined) peer = linked(node, "far")
  }
  world.advance(100)
  expect(Object.keys(node.core.status().vector).length).toBeLessThan(limits.originsMax)
  expect(peer.of("want").length).toBeLessThan(limits.originsMax)
  // The harness decodes this vector as a peer would.
  expect(linked(node, "next").greeting.map(({ type }) => type)).toContain("vector")
})

test("[L16] what has no room is asked for once there is, and commits stay small", () => {
  const world = new World()
  const node = world.node()
  const peer = linked(node, "far")
  node.store.held = true
  const [record] = records(1)
  const frame = Array.from({ length: limits.linkFrameEntriesMax }, () => must(record))
  const frames = limits.adoptedWaitingEntriesMax / frame.length
  let head: Head = emptyHead
  // The first is under way, the last has no room.
  for (let index = 0; index < frames + 2; index++) {
    peer.entries(peer.origin, head.seq + 1, frame, head.hash)
    head = chainRecords(head, peer.origin, frame)
  }
  world.settle()
  expect(peer.of("want")).toEqual([])
  node.store.held = false
  world.advance(limits.commitPaceMs * frames * 2)
  const appended = node.effects.flatMap((effect) => {
    if (effect.type !== "append") return []
    return effect.entries.adopted.reduce((sum, { records: { length } }) => sum + length, 0)
  })
  expect(Math.max(...appended)).toBeLessThanOrEqual(limits.adoptedBatchEntriesMax)
  expect(peer.of("want")).toEqual([
    { type: "want", origin: peer.origin, fromSeq: (frames + 1) * frame.length + 1 },
  ])
  expect(node.store.log.head(peer.origin).seq).toBe((frames + 1) * frame.length)
})

test("[D5] commits of what peers bring are adoptPaceMs apart, unless somebody waits", () => {
  const world = new World()
  const node = world.node()
  const peer = linked(node, "far")
  const client = openNative(node, notes, 1)
  world.advance(1000)
  const begun = node.appendsMs.length
  const run = records(200)
  let head: Head = emptyHead
  for (const record of run) {
    peer.entries(peer.origin, head.seq + 1, [record], head.hash)
    head = chainRecords(head, peer.origin, [record])
    world.advance(1)
  }
  const startsMs = node.appendsMs.slice(begun)
  const gaps = startsMs.slice(1).map((ms, index) => ms - (startsMs[index] ?? 0))
  expect(new Set(gaps.slice(limits.commitBurst))).toEqual(new Set([limits.adoptPaceMs]))
  expect((startsMs[limits.commitBurst - 1] ?? 0) - (startsMs[0] ?? 0)).toBeLessThan(10)
  world.advance(limits.adoptPaceMs)
  peer.entries(peer.origin, head.seq + 1, [must(run[0])], head.hash)
  client.update(1, 1, new YWriter(1).put("k", 1))
  world.advance(limits.commitPaceMs)
  expect(client.of("ack").map(({ seq }) => seq)).toEqual([1])
  expect(node.store.log.head(peer.origin).seq).toBe(run.length + 1)
})
