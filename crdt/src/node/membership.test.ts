/** How nodes come into a cluster and leave it. Rules [L13] [L14] [M3] [M5] [M6]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { bodyOf, decodeRecord } from "../log/index.ts"
import type { Reply } from "./input.ts"
import { jsonAfter, openNative, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { linked, Peer } from "./test/peer.ts"
import { testNode } from "../testing/store-fixtures.ts"

const notes = documentNamed("notes")

let lastClient = 0

/** Each write has a key of its own. */
function write(node: TestNode, count = 1): void {
  const client = openNative(node, notes, ++lastClient)
  for (let seq = 1; seq <= count; seq++) {
    client.update(1, seq, new YWriter(1000 * lastClient + seq).put(`${lastClient}/${seq}`, 1))
  }
  node.world.advance(100)
  client.close()
  node.world.settle()
}

function keysOf(node: TestNode): number {
  const { entries } = node.store.log.readDocument(notes)
  return Object.keys(jsonAfter(entries.map(({ record }) => bodyOf(record)))).length
}

function headsOf(node: TestNode): unknown[] {
  return node.store.log.heads().filter(([, { seq }]) => seq > 0)
}

function ownKinds(node: TestNode): string[] {
  const { run } = node.store.log.readOrigin(node.origin, 1, Infinity)
  return run.records.map((record) => decodeRecord(record).kind)
}

function activeOn(node: TestNode): readonly string[] {
  return node.core.status().members.active
}

let lastCommand = 0

function retire(node: TestNode, name: string): Reply | undefined {
  const command = ++lastCommand
  const request = { type: "retire", node: testNode(name) } as const
  node.input({ type: "command", command, request })
  node.world.advance(50)
  return node.replies.get(command)
}

function linkCount(left: TestNode, right: TestNode): number {
  return left.world.linksBetween(left, right).length
}

describe("member records", () => {
  test("[M3] a node without entries logs one once it is linked, and only then", () => {
    const world = new World()
    const alone = world.node("alone")
    world.advance(30_000)
    expect(ownKinds(alone)).toEqual([])
    linked(alone)
    world.advance(3 * limits.sweepMs)
    expect(ownKinds(alone)).toEqual(["member"])
    world.advance(30_000)
    expect(ownKinds(alone)).toEqual(["member"])
  })

  test("[M3] a node that has written needs none, unless it is reached elsewhere now", () => {
    const world = new World()
    const node = world.node()
    write(node)
    linked(node)
    world.advance(3 * limits.sweepMs)
    expect(ownKinds(node)).toEqual(["update"])
    const said = world.node("said", { address: "said:1" })
    write(said)
    linked(said)
    world.advance(3 * limits.sweepMs)
    expect(ownKinds(said)).toEqual(["update", "member"])
    said.crash()
    linked(said)
    world.advance(3 * limits.sweepMs)
    expect(ownKinds(said)).toEqual(["update", "member"])
  })

  test("[M3] [D4] one that was lost with a failed append is logged later", () => {
    const world = new World()
    const node = world.node()
    node.store.appendFailure = "store-failed"
    const peer = linked(node)
    for (let waited = 0; waited < 10_000; waited += 1000) {
      peer.send({ type: "pong" })
      world.advance(1000)
    }
    node.store.appendFailure = undefined
    peer.send({ type: "pong" })
    world.advance(limits.storeRetryMsMax + 2 * limits.sweepMs)
    expect(ownKinds(node)).toEqual(["member"])
  })

  test("[M1] [M3] members stay members over a restart of everybody", () => {
    const world = new World()
    const [a, b, c] = world.mesh("a", "b", "c").map(must)
    if (a === undefined || b === undefined || c === undefined) return
    world.advance(10_000)
    for (const node of [a, b, c]) expect(activeOn(node)).toEqual(["a", "b", "c"])
    for (const node of [a, b, c]) world.cut(node, node === a ? b : a)
    world.cut(b, c)
    a.crash()
    expect(a.core.status().members).toEqual({ active: ["a", "b", "c"], unknown: 2, quorum: 3 })
    world.heal(a, b)
    world.advance(10_000)
    expect(a.core.status().members).toEqual({ active: ["a", "b", "c"], unknown: 1, quorum: 3 })
  })
})

describe("addresses that are learnt", () => {
  test("[L13] who is given one address finds all, and is found", () => {
    const world = new World()
    const options = (name: string) => ({ peers: name === "seed" ? [] : ["seed"], address: name })
    const nodes = ["seed", "a", "b", "c"].map((name) => world.node(name, options(name)))
    world.advance(15_000)
    for (const [index, left] of nodes.entries()) {
      for (const right of nodes.slice(index + 1)) expect(linkCount(left, right)).toBe(1)
    }
    const [seed, ...others] = nodes
    // Without the seed they are a cluster still, also after a restart.
    for (const other of others) world.cut(must(seed), other)
    for (const other of others) other.crash()
    world.advance(15_000)
    const [a, b, c] = others
    expect(linkCount(must(a), must(b))).toBe(1)
    expect(linkCount(must(b), must(c))).toBe(1)
    expect(must(a).core.status().members).toMatchObject({ active: ["a", "b", "c", "seed"] })
  })

  test("[L13] a node that says no address is dialled by nobody it did not dial", () => {
    const world = new World()
    const seed = world.node("seed", { address: "seed" })
    const a = world.node("a", { peers: ["seed"] })
    const b = world.node("b", { peers: ["seed"], address: "b" })
    world.advance(15_000)
    expect([linkCount(seed, a), linkCount(seed, b)]).toEqual([1, 1])
    // b can't dial a, but a was told of b.
    expect(linkCount(a, b)).toBe(1)
    expect(b.effects.some((effect) => effect.type === "dial" && effect.address === "a")).toBe(false)
  })

  test("[L13] no more than membersMax, however many a peer tells of", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node)
    for (let round = 0; round < 4; round++) {
      const told = Array.from({ length: limits.membersMax }, (_, index) => {
        const name = `m${round}-${index}`
        return [testNode(name), `${name}:1`] as const
      })
      peer.send({ type: "members", addresses: new Map(told), retired: new Map() })
    }
    world.settle()
    expect(node.core.status().peers.length).toBeLessThanOrEqual(limits.membersMax + 1)
    expect(node.core.status().members.unknown).toBe(0)
  })

  test("[L13] an address that leads nowhere gives way to another, and no other does", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node)
    const tell = (address: string) => {
      const addresses = new Map([[testNode("far"), address]])
      peer.send({ type: "members", addresses, retired: new Map() })
      world.settle()
    }
    const addressesOf = () => node.core.status().peers.flatMap(({ address }) => address ?? [])
    tell("far:1")
    tell("far:2")
    expect(addressesOf()).toEqual(["far:1"])
    world.advance(10_000)
    tell("far:2")
    expect(addressesOf()).toEqual(["far:2"])
  })

  test("[L13] an address that becomes known later is told with the next vectors", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node)
    linked(node, "late", { address: "late:1" })
    world.advance(2 * limits.linkVectorIntervalMs)
    const told = peer.of("members").map(({ addresses }) => addresses)
    expect(told).toEqual([new Map([["late", "late:1"]])])
  })

  test("[L13] what a node itself says of its address goes before what others say", () => {
    const world = new World()
    const node = world.node()
    const peer = linked(node)
    const tell = (address: string) => {
      const addresses = new Map([[testNode("far"), address]])
      peer.send({ type: "members", addresses, retired: new Map() })
      world.settle()
      return node.core.status().peers.flatMap((one) => one.address ?? [])
    }
    expect(tell("far:1")).toEqual(["far:1"])
    linked(node, "far", { address: "far:2" })
    expect(tell("far:1")).toEqual(["far:2"])
  })
})

describe("retiring", () => {
  test("[M6] is refused for oneself, for who is linked, and for nobody", () => {
    const world = new World()
    const [a] = world.mesh("a", "b").map(must)
    world.advance(5000)
    expect(retire(must(a), "a")).toEqual({ type: "not-retired", code: "self" })
    expect(retire(must(a), "b")).toEqual({ type: "not-retired", code: "linked" })
    expect(retire(must(a), "x")).toEqual({ type: "not-retired", code: "no-such-member" })
    expect(must(a).core.status().members.active).toEqual(["a", "b"])
  })

  test("[M6] [D4] is answered when it is durable, and fails if it is not", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b").map(must)
    if (a === undefined || b === undefined) return
    world.advance(5000)
    world.cut(a, b)
    a.store.appendFailure = "store-failed"
    expect(retire(a, "b")).toEqual({ type: "not-retired", code: "store-failed" })
    expect(activeOn(a)).toEqual(["a", "b"])
    a.store.appendFailure = undefined
    world.advance(limits.storeRetryMsMax)
    a.store.held = true
    expect(retire(a, "b")).toBeUndefined()
    a.store.held = false
    world.advance(100)
    expect(a.replies.get(lastCommand)).toEqual({ type: "retired", origins: [b.origin] })
    expect(activeOn(a)).toEqual(["a"])
  })

  test("[M4] [L13] all learn of it, also after a restart, and the address is forgotten", () => {
    const world = new World()
    const seed = world.node("seed", { address: "seed" })
    const [a, b] = ["a", "b"].map((name) => world.node(name, { peers: ["seed"], address: name }))
    if (a === undefined || b === undefined) return
    world.advance(10_000)
    for (const node of [seed, a]) world.cut(node, b)
    expect(retire(seed, "b")).toMatchObject({ type: "retired" })
    world.advance(1000)
    for (const node of [seed, a]) {
      expect(activeOn(node)).toEqual(["a", "seed"])
      expect(node.core.status().peers.map(({ address }) => address)).not.toContain("b")
      node.crash()
      expect(activeOn(node)).toEqual(["a", "seed"])
      expect(node.core.status().peers.map(({ address }) => address)).not.toContain("b")
    }
  })

  test("[L14] [M5] who comes back is told, takes a fresh origin, and loses no write", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const world = new World(seed)
      const [a, b, c] = world.mesh("a", "b", "c").map(must)
      if (a === undefined || b === undefined || c === undefined) return
      world.advance(5000)
      write(c, 4)
      world.advance(1000)
      for (const other of [a, b]) world.cut(c, other)
      const before = c.origin
      const keepSeq = a.store.log.head(before).seq
      write(c, 3)
      write(a, 2)
      expect(retire(b, "c")).toEqual({ type: "retired", origins: [before] })
      world.advance(1000)
      for (const node of [a, b]) expect(activeOn(node)).toEqual(["a", "b"])
      for (const other of [a, b]) world.heal(c, other)
      world.advance(30_000)
      expect(c.reopened).toEqual([{ why: "retired", keepSeq }])
      expect(c.origin).not.toBe(before)
      for (const node of [a, b, c]) {
        expect(activeOn(node)).toEqual(["a", "b", "c"])
        expect(keysOf(node)).toBe(9)
        expect(headsOf(node)).toEqual(headsOf(a))
      }
      expect(a.store.log.head(before).seq).toBe(keepSeq)
      write(c)
      world.advance(1000)
      expect(keysOf(b)).toBe(10)
    }
  })

  test("[L14] [M5] so is who is linked to somebody that hears of it only then", () => {
    const world = new World()
    const [a, b, c] = [
      world.node("a", { peers: ["b"] }),
      world.node("b", { peers: ["c"] }),
      world.node("c"),
    ]
    world.advance(10_000)
    write(c, 2)
    world.advance(1000)
    const before = c.origin
    expect(retire(a, "c")).toEqual({ type: "retired", origins: [before] })
    world.advance(20_000)
    expect(c.reopened).toHaveLength(1)
    expect(b.eventsOf("link-refused")).toMatchObject([{ reason: "retired" }])
    expect(activeOn(a)).toEqual(["a", "b", "c"])
    expect(headsOf(a)).toEqual(headsOf(c))
  })

  test("[L14] a peer that will not hear is sent away each time, and is no member", () => {
    const world = new World()
    const node = world.node()
    const first = linked(node, "gone")
    world.advance(100)
    world.clientCloses(first.id)
    world.settle()
    expect(retire(node, "gone")).toEqual({ type: "retired", origins: [first.origin] })
    for (let count = 0; count < 3; count++) {
      const again = new Peer(node, "gone")
      again.hello()
      again.prove()
      world.settle()
      expect(again.closed?.reason).toBe("retired")
      const told = again.greeting.find((message) => message.type === "members")
      expect(told?.retired.get(first.origin)?.seq).toBe(0)
      expect(again.greeting.some(({ type }) => type === "vector")).toBe(false)
    }
    expect(activeOn(node)).toEqual(["n1"])
    linked(node, "gone-not")
    expect(activeOn(node)).toEqual(["gone-not", "n1"])
  })

  test("[M5] [E5] told again at once, a node waits before it opens its store again", () => {
    const world = new World()
    const node = world.node()
    write(node, 3)
    const tell = () => {
      const peer = linked(node)
      const retired = new Map([[node.origin, node.store.log.head(node.origin)]])
      peer.send({ type: "members", addresses: new Map(), retired })
      world.advance(1000)
    }
    tell()
    tell()
    tell()
    expect(node.reopened).toHaveLength(1)
    world.advance(limits.reopenPauseMs)
    tell()
    expect(node.reopened).toHaveLength(2)
    expect(keysOf(node)).toBe(3)
  })

  test("[M5] what differs from what the peer holds is logged again from the start", () => {
    const world = new World()
    const node = world.node()
    write(node, 3)
    const peer = linked(node)
    const other = { seq: 2, hash: new Uint8Array(16).fill(9) }
    peer.send({ type: "members", addresses: new Map(), retired: new Map([[node.origin, other]]) })
    world.advance(1000)
    expect(node.reopened).toEqual([{ why: "retired", keepSeq: 0 }])
    expect(keysOf(node)).toBe(3)
  })
})
