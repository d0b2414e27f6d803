/** Links between nodes, one node against a peer that the test writes: rules [L1]–[L8]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { chainHash, genesisHash } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { openNative, openStock, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { headAfter, linked, Peer, recordOf } from "./test/peer.ts"

const notes = documentNamed("notes")
const far = testOrigin("far")

/** Records that each stand for themselves. */
function records(count: number, size = 1): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    recordOf(notes, new YWriter(100 + index).put(`k${index}`, "x".repeat(size))),
  )
}

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
      peer.hello(fields)
      node.world.settle()
      expect(peer.got[0]).toMatchObject({
        type: "hello",
        cluster: "test",
        node: "n1",
        origin: node.origin,
      })
      return peer.closed?.reason
    }
    expect(reasonOf({ cluster: "other" })).toBe("cluster-mismatch")
    expect(reasonOf({ versions: { min: 7, max: 9 } })).toBe("link-version-mismatch")
    expect(reasonOf({}, "n1")).toBe("self-link")
    expect(reasonOf({ versions: { min: 1, max: 9 } })).toBeUndefined()
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

  test("[L5] what a peer wants is sent from there on, as far as the log goes, again if it asks again", () => {
    const node = new World().node()
    const source = linked(node, "far")
    const run = records(5)
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

describe("vectors", () => {
  test("[L4] soon after an adoption, only what changed, only what is durable", () => {
    const world = new World()
    const node = world.node()
    const [source, other] = [linked(node, "far"), linked(node, "other")]
    node.store.held = true
    source.entries(source.origin, 1, records(2))
    world.advance(limits.linkVectorIntervalMs * 2)
    expect(other.of("vector")).toEqual([])
    node.store.held = false
    world.settle()
    world.advance(limits.linkVectorSoonMs * 2)
    const head = headAfter(source.origin, records(2))
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
})

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

  test("[L6] a peer that has more of our own origin than we have says we lost our log", () => {
    const { node } = setup()
    const peer = linked(node, "peer", {
      heads: new Map([[node.origin, { seq: 7, hash: new Uint8Array(16) }]]),
    })
    expect(peer.closed?.reason).toBe("fork-detected")
    expect(node.eventsOf("fork-detected")).toHaveLength(1)
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
