/** Links between nodes, one node against a peer that the test writes: rules [L1]–[L8]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { openNative, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { greet, headAfter, linked, Peer, recordsOf } from "./test/peer.ts"

const notes = documentNamed("notes")

/** Writes of a client of `node`, a commit each. */
function write(node: TestNode, count: number, size = 1): void {
  const client = openNative(node, notes, 1000 + node.store.log.head(node.origin).seq)
  const doc = new YWriter(1 + node.store.log.head(node.origin).seq)
  for (let seq = 1; seq <= count; seq++) {
    client.update(1, seq, doc.put("k", "x".repeat(size)))
    node.world.advance(limits.commitPaceMs)
  }
  client.close()
  node.world.settle()
}

function seqsOf(peer: Peer, origin: OriginId): number[] {
  return peer.of("entries").flatMap(({ run }) => {
    return run.origin === origin ? run.records.map((_, index) => run.firstSeq + index) : []
  })
}

describe("the greeting", () => {
  test("[L1] [F6] hello goes out at once, and a mismatch closes with its code", () => {
    const node = new World().node()
    const reasonOf = (fields: Parameters<Peer["hello"]>[0], name?: string) => {
      const peer = new Peer(node, name)
      greet(peer, fields)
      node.world.settle()
      expect(peer.greeting[0]).toMatchObject({
        type: "hello",
        cluster: "test",
        node: "n1",
        origin: node.origin,
      })
      return peer.closed?.reason
    }
    expect(reasonOf({ cluster: "other" })).toBe("cluster-mismatch")
    expect(reasonOf({ versions: { min: 7, max: 9 } })).toBe("link-version-mismatch")
    expect(reasonOf({ versions: { min: 1, max: 9 } })).toBeUndefined()
    expect(reasonOf({ versions: { min: 1, max: 1 } })).toBe("link-version-mismatch")
    expect(node.eventsOf("link-refused")).toHaveLength(3)
    expect(node.eventsOf("link-up")).toHaveLength(1)
  })

  test("[L1] anything before hello, or a second one, closes", () => {
    const node = new World().node()
    const [early, twice] = [new Peer(node, "early"), linked(node, "twice")]
    early.send({ type: "ping" })
    twice.hello()
    node.world.settle()
    expect([early.closed?.reason, twice.closed?.reason]).toEqual(["malformed", "malformed"])
  })

  test("[L1] a node that dials itself gives that address up", () => {
    const world = new World()
    const node = world.node("n1", { peers: ["n1"] })
    world.advance(60_000)
    expect(node.eventsOf("link-refused").length).toBeLessThanOrEqual(2)
    expect(node.core.status().peers).toMatchObject([{ address: "n1", state: "self" }])
  })

  test("[L8] who says no hello, or falls silent, is closed", () => {
    const world = new World()
    const node = world.node()
    const [mute, silent, alive] = [
      new Peer(node, "mute"),
      linked(node, "silent"),
      linked(node, "alive"),
    ]
    world.advance(limits.linkHandshakeMs + limits.sweepMs)
    expect([mute.closed?.reason, silent.closed]).toEqual(["silent", undefined])
    for (let waited = 0; waited < limits.linkSilentMs; waited += limits.linkPingMs) {
      alive.send({ type: "pong" })
      world.advance(limits.linkPingMs)
    }
    expect([silent.closed?.reason, alive.closed]).toEqual(["silent", undefined])
    expect(alive.of("ping").length).toBeGreaterThan(2)
    alive.send({ type: "ping" })
    world.settle()
    expect(alive.of("pong")).toHaveLength(1)
  })

  test("[L1] no more links than linksMax", () => {
    const node = new World().node()
    const peers = Array.from({ length: limits.linksMax + 2 }, (_, index) =>
      linked(node, `p${index}`),
    )
    node.world.settle()
    expect(peers.filter(({ closed }) => closed === undefined)).toHaveLength(limits.linksMax)
    expect(peers.at(-1)?.closed?.reason).toBe("overloaded")
  })

  test("[L1] strangers, however many, keep no peer out and none from being dialled", () => {
    const world = new World()
    const node = world.node("n1", { peers: ["n2"] })
    const strangers = () => {
      return Array.from({ length: limits.linksMax }, (_, index) => new Peer(node, `s${index}`))
    }
    const first = strangers()
    world.settle()
    const peer = linked(node, "peer")
    const other = world.node("n2")
    world.advance(limits.linkBackoffMsMax)
    strangers()
    world.settle()
    expect(first.filter(({ closed }) => closed?.reason !== "overloaded")).toEqual([])
    expect(peer.closed).toBe(undefined)
    expect(node.eventsOf("link-up").map((event) => event.peer)).toEqual(["peer", "n2"])
    expect(world.linksBetween(node, other)).toHaveLength(1)
  })
})

describe("pushing", () => {
  test("[L3] own entries from where the peer's vector ends, in order", () => {
    const node = new World().node()
    write(node, 3)
    const head = node.store.log.head(node.origin)
    const second = must(node.store.log.readOrigin(node.origin, 2, 1).run.records[0])
    expect(second.length).toBeGreaterThan(0)
    const { previousHash } = node.store.log.readOrigin(node.origin, 3, 1)
    const peer = linked(node, "peer", {
      heads: new Map([[node.origin, { seq: 2, hash: previousHash }]]),
    })
    expect(seqsOf(peer, node.origin)).toEqual([3])
    expect(peer.of("entries")[0]?.previousHash).toEqual(previousHash)
    write(node, 2)
    expect(seqsOf(peer, node.origin)).toEqual([3, 4, 5])
    expect(peer.of("entries")[1]?.previousHash).toEqual(head.hash)
  })

  test("[L3] no more than the peer's window is under way; its vectors open it again", () => {
    const node = new World().node()
    const peer = linked(node, "peer", { windowBytes: 3000 })
    write(node, 20, 900)
    // The window is open until it is full, so the last may pass its end.
    expect(seqsOf(peer, node.origin)).toEqual([1, 2, 3, 4])
    const confirm = (seq: number) => {
      const { previousHash } = node.store.log.readOrigin(node.origin, seq + 1, 1)
      peer.vector([node.origin, { seq, hash: previousHash }])
      node.world.advance(100)
    }
    confirm(1)
    expect(seqsOf(peer, node.origin)).toEqual([1, 2, 3, 4, 5])
    for (let seq = 5; seq < 20; seq += 3) confirm(seqsOf(peer, node.origin).length)
    expect(seqsOf(peer, node.origin)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test("[L3] a window without bounds is bounded here, one of nothing takes nothing", () => {
    const world = new World()
    const node = world.node()
    const greedy = linked(node, "greedy", { windowBytes: Number.MAX_SAFE_INTEGER })
    const none = linked(node, "none", { windowBytes: 0 })
    write(node, 8, 1_000_000)
    world.advance(100)
    expect(seqsOf(greedy, node.origin).length).toBeLessThan(6)
    expect(seqsOf(none, node.origin)).toEqual([])
  })

  test("[L3] a full socket gets nothing until it drains", () => {
    const node = new World().node()
    const peer = linked(node)
    node.input({ type: "congested", connection: peer.id })
    write(node, 2)
    expect(seqsOf(peer, node.origin)).toEqual([])
    node.input({ type: "drained", connection: peer.id })
    node.world.settle()
    expect(seqsOf(peer, node.origin)).toEqual([1, 2])
  })

  test("[L5] what a peer wants is sent from there to the end, again if it asks again", () => {
    const node = new World().node()
    const source = linked(node, "far")
    const run = recordsOf(notes, 5)
    source.entries(source.origin, 1, run)
    node.world.advance(10)
    const peer = linked(node, "peer")
    expect(seqsOf(peer, source.origin)).toEqual([])
    peer.want(source.origin, 3)
    node.world.settle()
    expect(seqsOf(peer, source.origin)).toEqual([3, 4, 5])
    peer.want(source.origin, 1)
    peer.want(source.origin, 99)
    peer.want(testOrigin("nobody"), 1)
    node.world.settle()
    expect(seqsOf(peer, source.origin).slice(3)).toEqual([1, 2, 3, 4, 5])
  })

  test("[L5] wants without end lead to one read at a time and no more than they ask for", () => {
    const world = new World()
    const node = world.node()
    write(node, 3)
    const peer = linked(node)
    node.store.held = true
    for (let count = 0; count < 500; count++) peer.want(node.origin, 1)
    world.settle()
    expect(node.store.waiting).toEqual(["read"])
    node.store.held = false
    world.settle()
    expect(seqsOf(peer, node.origin).length).toBeLessThan(10)
  })

  test("[D4] [L3] while the log can't be read a peer gets what it lacks later", () => {
    const world = new World()
    const node = world.node()
    write(node, 2)
    node.store.readFailure = "store-failed"
    const peer = linked(node)
    world.advance(1000)
    expect(seqsOf(peer, node.origin)).toEqual([])
    node.store.readFailure = undefined
    write(node, 1)
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(seqsOf(peer, node.origin)).toEqual([1, 2, 3])
  })
})

describe("a push delay", () => {
  function setUp(pushDelayMs: number | undefined) {
    const world = new World()
    const node = world.node("n1", pushDelayMs === undefined ? {} : { pushDelayMs })
    write(node, 1)
    const { seq, hash } = node.store.log.head(node.origin)
    const peer = linked(node, "peer", { heads: new Map([[node.origin, { seq, hash }]]) })
    world.advance(limits.linkVectorIntervalMs * 4)
    return { world, node, peer }
  }

  test("[L15] a few go at once, what follows waits and goes in one message", () => {
    const { world, node, peer } = setUp(200)
    write(node, limits.pushBurst)
    expect(peer.of("entries")).toHaveLength(limits.pushBurst)
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5])
    write(node, 5)
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5])
    world.advance(200)
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(peer.of("entries")).toHaveLength(limits.pushBurst + 1)
    expect(peer.of("entries").at(-1)?.previousHash).toEqual(
      node.store.log.readOrigin(node.origin, 6, 1).previousHash,
    )
  })

  test("[L15] no vector of a peer's, and no want for what waits, makes it go sooner", () => {
    const { world, node, peer } = setUp(200)
    write(node, limits.pushBurst + 1)
    peer.vector([peer.origin, headAfter(peer.origin, recordsOf(notes, 1))])
    peer.want(node.origin, 6)
    world.settle()
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5])
    peer.want(node.origin, 5)
    world.settle()
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5, 5, 6])
    world.advance(1000)
    write(node, 1)
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5, 5, 6, 7])
  })

  test("[L15] it waits no longer than a message has room, or the node runs", () => {
    const { world, node, peer } = setUp(1000)
    write(node, limits.pushBurst)
    write(node, 4, 100_000)
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5, 6, 7])
    node.input({ type: "stop" })
    world.settle()
    expect(seqsOf(peer, node.origin)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  })

  test("[L15] by default only a node with many links waits, and longer the more there are", () => {
    const { world, node, peer } = setUp(undefined)
    write(node, 20)
    expect(peer.of("entries")).toHaveLength(20)
    const names = Array.from({ length: limits.linkEagerLinksMax }, (_, index) => `p${index}`)
    const others = names.map((name) => linked(node, name))
    world.advance(limits.linkVectorIntervalMs * 2)
    write(node, limits.pushBurst + 3)
    expect(peer.of("entries")).toHaveLength(20 + limits.pushBurst)
    world.advance(limits.pushDelayEachMs * (others.length + 1))
    expect(peer.of("entries")).toHaveLength(20 + limits.pushBurst + 1)
    expect(seqsOf(peer, node.origin)).toHaveLength(20 + limits.pushBurst + 3)
  })
})

describe("vectors", () => {
  test("[L4] soon after an adoption, only what changed, only what is durable", () => {
    const world = new World()
    const node = world.node()
    // It has an entry already, so it has no need to say that it is a member.
    write(node, 1)
    const [source, other] = [linked(node, "far"), linked(node, "other")]
    node.store.held = true
    source.entries(source.origin, 1, recordsOf(notes, 2))
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(other.of("vector")).toEqual([])
    node.store.held = false
    world.settle()
    world.advance(limits.linkVectorSoonMs * 2)
    const head = headAfter(source.origin, recordsOf(notes, 2))
    expect(other.of("vector").map(({ heads }) => [...heads])).toEqual([[[source.origin, head]]])
    expect(source.of("vector")).toHaveLength(1)
    world.advance(limits.linkVectorIntervalMs * 3)
    expect(other.of("vector")).toHaveLength(1)
    write(node, 1)
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(
      other
        .of("vector")
        .slice(1)
        .map(({ heads }) => [...heads.keys()]),
    ).toEqual([[node.origin]])
  })

  test("[L4] with many links, soon to who brought it alone, and to all at the interval", () => {
    const world = new World()
    const node = world.node()
    write(node, 1)
    const source = linked(node, "far")
    const names = Array.from({ length: limits.linkEagerLinksMax }, (_, index) => `p${index}`)
    const others = names.map((name) => linked(node, name))
    world.advance(limits.linkVectorIntervalMs * 2)
    const told = () => others.map((other) => other.of("vector").length)
    const [before, toldBefore] = [source.of("vector").length, told()]
    source.entries(source.origin, 1, recordsOf(notes, 2))
    world.settle()
    world.advance(limits.linkVectorSoonMs * 2)
    expect(source.of("vector")).toHaveLength(before + 1)
    expect(told()).toEqual(toldBefore)
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(source.of("vector")).toHaveLength(before + 1)
    expect(told()).toEqual(toldBefore.map((count) => count + 1))
  })
})
