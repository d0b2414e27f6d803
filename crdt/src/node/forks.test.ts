/** An origin that two nodes hold differently: found when they meet, and repaired by one of them. */
import { describe, expect, test } from "vitest"
import { bytesCompare, limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { bodyOf, chainHash, cutRecord, encodeRecord } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { jsonAfter, openNative, vectorOf, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { headAfter, linked, recordsOf } from "./test/peer.ts"
import type { Peer } from "./test/peer.ts"

const notes = documentNamed("notes")
const records = recordsOf(notes, 12)
const strangeHash = new Uint8Array(16).fill(9)
const far = testOrigin("far")

/** A node that adopted the first `count` of `records` as `far`'s. */
function setup(count: number) {
  const world = new World()
  const node = world.node()
  node.store.log.appendRun({ origin: far, firstSeq: 1, records: records.slice(0, count) })
  node.crash()
  return { world, node }
}

function claims(head: Head) {
  return { heads: new Map([[far, head]]) }
}

/** The peer answers what it is asked for from `branch`, one entry at a time. */
function answer(peer: Peer, branch: readonly Uint8Array[]): void {
  for (let count = 0; count < 10; count++) {
    const wants = peer.of("want").length
    const { fromSeq } = must(peer.of("want").at(-1))
    const entry = branch[fromSeq - 1]
    const previous = headAfter(far, branch.slice(0, fromSeq - 1))
    if (entry !== undefined) peer.entries(far, fromSeq, [entry], previous.hash)
    peer.node.world.settle()
    if (peer.of("want").length === wants || peer.closed !== undefined) return
  }
}

/** Two branches that part behind `shared`; the first is the one that stays. */
function branches(shared: number): readonly [Uint8Array[], Uint8Array[]] {
  const trunk = records.slice(0, shared)
  const { hash } = headAfter(far, trunk)
  const [one, other] = [must(records[10]), must(records[11])]
  const order = bytesCompare(
    chainHash(hash, far, shared + 1, one),
    chainHash(hash, far, shared + 1, other),
  )
  const rest = records.slice(shared, 9)
  const [stays, goes] = order > 0 ? [one, other] : [other, one]
  return [
    [...trunk, stays, ...rest],
    [...trunk, goes, ...rest],
  ]
}

function holding(branch: readonly Uint8Array[]) {
  const world = new World()
  const node = world.node()
  node.store.log.appendRun({ origin: far, firstSeq: 1, records: branch })
  node.crash()
  return { world, node }
}

/** A record that wins over the last of these. */
function greaterThanLast(own: readonly Uint8Array[]): Uint8Array {
  const { hash } = headAfter(far, own)
  const isGreater = (record: Uint8Array) => {
    return bytesCompare(headAfter(far, [...own.slice(0, -1), record]).hash, hash) > 0
  }
  return must(recordsOf(notes, 200).find(isGreater))
}

describe("one of two branches stays", () => {
  test.each([
    ["as much", 6, 6, 2],
    ["more", 9, 5, 2],
    ["less", 4, 9, 2],
    ["nothing in common", 6, 6, 0],
    ["all but the last in common", 6, 6, 5],
  ])(
    "[X1] [X2] [X3] a peer's with a greater hash, where it holds %s",
    (_, theirs, ours, shared) => {
      const [stays, goes] = branches(shared)
      const { world, node } = holding(goes.slice(0, ours))
      const branch = stays.slice(0, theirs)
      const peer = linked(node, "peer", claims(headAfter(far, branch)))
      if (theirs > ours) answer(peer, branch)
      // Who holds less asks first, for what it says it holds.
      if (theirs < ours) {
        peer.want(far, theirs)
        world.settle()
      }
      expect(node.eventsOf("fork-detected")).toMatchObject([{ origin: far, peer: "peer" }])
      answer(peer, branch)
      const { hash } = headAfter(far, stays.slice(0, shared + 1))
      expect(node.reopened).toEqual([{ why: "fork", origin: far, keepSeq: shared, hash }])
      const { log } = node.store
      expect(log.head(far)).toEqual(headAfter(far, stays.slice(0, shared)))
      const { run } = log.readOrigin(node.origin, 1, Infinity)
      const moved = goes.slice(shared, ours)
      expect(run.records).toEqual([...moved, cutRecord({ origin: far, keepSeq: shared })])
    },
  )

  test("[X2] this node's with a greater hash: it does nothing, and answers who asks", () => {
    const [stays, goes] = branches(3)
    const { world, node } = holding(stays.slice(0, 6))
    const peer = linked(node, "peer", claims(headAfter(far, goes.slice(0, 6))))
    answer(peer, goes)
    world.advance(3 * limits.sweepMs)
    expect(node.reopened).toEqual([])
    expect(node.core.status().forks).toMatchObject([
      { origin: far, seq: 6, peer: "peer", stays: "ours" },
    ])
    peer.want(far, 4)
    world.settle()
    const sent = peer.of("entries").filter(({ run }) => run.origin === far)
    expect(sent.map(({ run }) => [run.firstSeq, run.records.length])).toEqual([[4, 1]])
  })

  test("[X2] the node whose origin it is gives way: nobody looks into what it says itself", () => {
    const [, goes] = branches(3)
    const { world, node } = holding(goes.slice(0, 6))
    const owner = linked(node, "far", {
      origin: far,
      ...claims(headAfter(far, records.slice(0, 6))),
    })
    world.advance(3 * limits.sweepMs)
    expect(node.core.status().forks).toMatchObject([{ origin: far, stays: "unknown" }])
    expect(owner.of("want")).toEqual([])
    expect(node.reopened).toEqual([])
  })

  test("[X2] [X3] a peer's log that begins behind where they part: it stays", () => {
    const [stays, goes] = branches(3)
    const { world, node } = holding(goes.slice(0, 6))
    const peer = linked(node, "peer", claims(headAfter(far, stays.slice(0, 6))))
    expect(peer.of("want")).toEqual([{ type: "want", origin: far, fromSeq: 6 }])
    peer.send({ type: "truncated", origin: far, floorSeq: 6 })
    world.settle()
    expect(node.reopened).toMatchObject([{ why: "fork", origin: far, keepSeq: 0 }])
    expect(node.store.log.head(far).seq).toBe(0)
    const { run } = node.store.log.readOrigin(node.origin, 1, Infinity)
    expect(run.records).toEqual([...goes.slice(0, 6), cutRecord({ origin: far, keepSeq: 0 })])
  })

  test("[X2] an entry that is asked for like that comes within the link's window", () => {
    const [stays, goes] = branches(3)
    const { world, node } = holding(stays.slice(0, 6))
    const claimed = claims(headAfter(far, goes.slice(0, 6)))
    const peers = [0, 1].map((windowBytes) => {
      const peer = linked(node, `peer${windowBytes}`, { windowBytes, ...claimed })
      peer.want(far, 5)
      return peer
    })
    world.settle()
    expect(peers.map((peer) => peer.of("entries").length)).toEqual([0, 1])
  })

  test("[X3] what the other node said of itself is not said again of this one", () => {
    const [stays, goes] = branches(3)
    const member = encodeRecord({ kind: "member", atMs: 1, address: "far:1" })
    const branch = [...goes.slice(0, 4), member, ...goes.slice(4, 5)]
    const { node } = holding(branch)
    answer(linked(node, "peer", claims(headAfter(far, stays.slice(0, 6)))), stays)
    const { run } = node.store.log.readOrigin(node.origin, 1, Infinity)
    const cut = cutRecord({ origin: far, keepSeq: 3 })
    expect(run.records).toEqual([...goes.slice(3, 5), cut])
  })

  test("[X6] what gave way is not adopted again while the next opening has to wait", () => {
    const [stays, goes] = branches(3)
    const { world, node } = holding(goes.slice(0, 6))
    answer(linked(node, "peer", claims(headAfter(far, stays.slice(0, 6)))), stays)
    expect(node.reopened).toHaveLength(1)
    const { hash } = headAfter(far, goes.slice(0, 3))
    linked(node, "other", claims(headAfter(far, goes))).entries(far, 4, goes.slice(3), hash)
    world.advance(100)
    expect(node.store.log.head(far).seq).toBe(3)
    linked(node, "third", claims(headAfter(far, stays))).entries(far, 4, stays.slice(3), hash)
    world.advance(100)
    expect(node.store.log.head(far)).toEqual(headAfter(far, stays))
  })
})

describe("claims without evidence", () => {
  test("[X1] [E5] one is reported once, and all but that origin goes on", () => {
    const { world, node } = setup(3)
    const peer = linked(node, "liar", claims({ seq: 3, hash: strangeHash }))
    const other = testOrigin("other")
    peer.entries(other, 1, records)
    for (let round = 0; round < 5; round++) {
      peer.vector([far, { seq: 3, hash: strangeHash }])
      world.advance(limits.linkWantMs)
      peer.send({ type: "ping" })
    }
    expect(peer.closed).toBe(undefined)
    expect(node.reopened).toEqual([])
    expect(node.eventsOf("fork-detected")).toHaveLength(1)
    expect(node.store.log.head(other).seq).toBe(records.length)
    expect(node.store.log.head(far).seq).toBe(3)
    expect(peer.of("want").length).toBeLessThan(6)
  })

  test("[X1] what a node writes is not sent to who holds its log otherwise, but to others", () => {
    const world = new World()
    const node = world.node()
    node.store.log.appendOwn(records.slice(0, 3))
    node.crash()
    const { origin } = node
    const head = node.store.log.head(origin)
    const others = [head, { seq: 3, hash: strangeHash }].map((claimed, index) => {
      return linked(node, `peer${index}`, { heads: new Map([[origin, claimed]]) })
    })
    expect(node.eventsOf("fork-detected")).toMatchObject([{ origin, peer: "peer1" }])
    openNative(node, notes, 1).update(1, 1, new YWriter(1).put("key", 1))
    world.advance(100)
    expect(node.store.log.head(origin).seq).toBe(4)
    expect(others.map((peer) => peer.of("entries").length)).toEqual([1, 0])
  })

  test("[X1] a peer that is only ahead is adopted from again", () => {
    const { world, node } = setup(3)
    const peer = linked(node, "peer")
    // As if a hash had been misheard: the entries themselves go on where ours end.
    peer.vector([far, { seq: 3, hash: strangeHash }])
    world.settle()
    expect(node.core.status().forks).toHaveLength(1)
    const { hash } = headAfter(far, records.slice(0, 2))
    peer.entries(far, 3, [must(records[2])], hash)
    world.settle()
    expect(node.reopened).toEqual([])
  })

  test("[X2] a liar's many claims do not hold up another peer's evidence", () => {
    const [stays, goes] = branches(3)
    const { world, node } = holding(goes.slice(0, 6))
    const own = Array.from({ length: 50 }, (_, index) => testOrigin("ghost", index + 1))
    for (const origin of own) {
      node.store.log.appendRun({ origin, firstSeq: 1, records: records.slice(0, 1) })
    }
    node.crash()
    const lies = new Map(own.map((origin) => [origin, { seq: 1, hash: strangeHash }]))
    linked(node, "liar", { heads: lies })
    const honest = linked(node, "honest", claims(headAfter(far, stays.slice(0, 6))))
    world.advance(limits.linkWantMs + 2 * limits.sweepMs)
    answer(honest, stays)
    expect(node.reopened).toHaveLength(1)
  })

  test("[X7] a peer that forges branches costs one opening, and the pauses double", () => {
    const { world, node } = setup(6)
    const opened: number[] = []
    for (let round = 0; round < 400 && opened.length < 4; round++) {
      const own = node.store.log.readOrigin(far, 1, Infinity).run.records
      const forged = [...own.slice(0, -1), greaterThanLast(own)]
      const peer = linked(node, "forger", claims(headAfter(far, forged)))
      if (peer.of("want").length > 0) answer(peer, forged)
      world.advance(limits.reopenPauseMs / 6)
      if (node.reopened.length > opened.length) opened.push(world.nowMs)
    }
    expect(opened.length).toBeGreaterThan(2)
    const pauses = opened.slice(1).map((atMs, index) => atMs - must(opened[index]))
    for (const [index, pause] of pauses.entries()) {
      // As far as rounds of this test tell.
      expect(pause).toBeGreaterThanOrEqual(limits.reopenPauseMs * (2 ** index - 1 / 6))
    }
  })
})

describe("cuts", () => {
  const cut = cutRecord({ origin: far, keepSeq: 2 })

  test.each([0, 2])("[X5] a resume point ends at the lowest cut, %d, for good", (lowest) => {
    const { world, node } = setup(6)
    const peer = linked(node, "peer")
    const cuts = [lowest + 1, lowest, lowest + 2].map((keepSeq) => {
      return cutRecord({ origin: far, keepSeq })
    })
    peer.entries(testOrigin("peer"), 1, cuts)
    world.settle()
    for (const restart of [false, true]) {
      if (restart) node.crash(true)
      const shown = vectorOf([[far, 6]])
      const client = openNative(node, notes, restart ? 2 : 1, { type: "vector", vector: shown })
      world.settle()
      const sent = client.of("updates").flatMap(({ updates }) => updates)
      expect(sent).toEqual(records.slice(lowest, 6).map(bodyOf))
    }
  })

  test("[X5] native connections are closed once for a new cut, not for all a peer makes up", () => {
    const { world, node } = setup(6)
    const before = openNative(node, notes, 1)
    world.settle()
    const peer = linked(node, "peer")
    peer.entries(testOrigin("peer"), 1, [cut])
    world.settle()
    expect(before.closed?.reason).toBe("service-restart")
    const after = openNative(node, notes, 2)
    const made = [1, 2, 3].map((epoch) => {
      return cutRecord({ origin: testOrigin("made-up", epoch), keepSeq: 0 })
    })
    peer.entries(testOrigin("peer"), 2, made, headAfter(testOrigin("peer"), [cut]).hash)
    world.settle()
    expect(after.closed).toBe(undefined)
  })

  test("[X5] a node whose own origin others cut goes on under a fresh one", () => {
    const world = new World()
    const node = world.node()
    node.store.log.appendOwn(records.slice(0, 4))
    node.crash()
    const { origin } = node
    linked(node, "peer").entries(testOrigin("peer"), 1, [cutRecord({ origin, keepSeq: 2 })])
    world.advance(2 * limits.sweepMs)
    expect(node.origin).not.toBe(origin)
    expect(node.store.log.head(origin).seq).toBe(4)
    expect(node.reopened).toHaveLength(1)
  })
})

describe("a folder put back, and a third node that adopted what was written on it", () => {
  let lastClient = 0

  function write(node: TestNode, count: number): void {
    const client = openNative(node, notes, ++lastClient)
    for (let seq = 1; seq <= count; seq++) {
      client.update(1, seq, new YWriter(1000 * lastClient + seq).put(`${lastClient}/${seq}`, 1))
    }
    node.world.advance(100)
    client.close()
    node.world.settle()
  }

  const keysOn = (node: TestNode) => {
    const { entries } = node.store.log.readDocument(notes)
    return Object.keys(jsonAfter(entries.map(({ record }) => bodyOf(record)))).sort()
  }
  const headsOf = (node: TestNode) => node.store.log.heads().filter(([, { seq }]) => seq > 0)

  test.each([1, 2, 3, 4, 5, 6])("[X1]–[X5] all nodes hold the same in the end (%d)", (seed) => {
    const world = new World(seed)
    const [a, b, c] = world.mesh("a", "b", "c").map(must)
    if (a === undefined || b === undefined || c === undefined) return
    const origin: OriginId = a.origin
    world.advance(5000)
    write(a, 5)
    const backup = a.store.log.copy()
    const { seq: shared } = a.store.log.head(origin)
    world.advance(2000)
    for (const other of [a, b]) world.cut(c, other)
    write(a, 4)
    world.advance(5000)
    world.cut(a, b)
    a.restore(backup)
    world.heal(a, c)
    world.advance(10_000)
    write(a, 2 + seed)
    world.advance(5000)
    expect(b.store.log.head(origin).seq).toBe(shared + 4)
    expect(c.store.log.head(origin).seq).toBe(shared + 2 + seed)
    const shown = vectorOf([[origin, shared + 4]])
    world.heal(a, b)
    world.heal(b, c)
    world.advance(3 * limits.reopenPauseMs)
    for (const other of [b, c]) expect(headsOf(other)).toEqual(headsOf(a))
    expect(keysOn(a)).toHaveLength(5 + 4 + 2 + seed)
    for (const other of [b, c]) expect(keysOn(other)).toEqual(keysOn(a))
    expect([a, b, c].flatMap((node) => node.core.status().forks)).toEqual([])
    // Whoever was shown the one branch is sent the other, on every node.
    for (const node of [a, b, c]) {
      const client = openNative(node, notes, ++lastClient, { type: "vector", vector: shown })
      world.settle()
      const { run } = node.store.log.readOrigin(origin, shared + 1, Infinity)
      const sent = new Set(client.of("updates").flatMap(({ updates }) => updates.map(String)))
      expect(run.records.every((record) => sent.has(String(bodyOf(record))))).toBe(true)
    }
  })
})
