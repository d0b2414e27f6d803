/** Nodes among themselves, whole: rules [L2] [L5] [L8] [L9], [D4]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { jsonAfter, openNative, openStock, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")

function vectors(...nodes: TestNode[]): unknown[] {
  return nodes.map(({ core }) => core.status().vector)
}

/** Where the logs end, hashes included. */
function headsOf(node: TestNode): unknown[] {
  return node.store.log.heads().filter(([, { seq }]) => seq > 0)
}

function linkCount(left: TestNode, right: TestNode): number {
  return left.world.linksBetween(left, right).length
}

let lastClient = 0

function write(node: TestNode, value: number): void {
  const client = openNative(node, notes, ++lastClient)
  client.update(1, 1, new YWriter(lastClient).put(`k${lastClient}`, value))
  node.world.settle()
  client.close()
  node.world.settle()
}

describe("duplicate links", () => {
  test("[L2] of two dialled at once the one by the smaller id stays, on both sides", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    if (a === undefined || b === undefined) return
    world.advance(limits.linkBackoffMsMin * 20)
    expect(linkCount(a, b)).toBe(1)
    const pipe = must(world.linksBetween(a, b)[0])
    expect(a.pipes.get(pipe.id)?.side).toBe(0)
    const before = [a, b].map((node) => node.eventsOf("link-down").length)
    world.advance(120_000)
    expect([a, b].map((node) => node.eventsOf("link-down").length)).toEqual(before)
    expect(a.core.status().peers).toMatchObject([{ node: "b", state: "linked" }])
    expect(b.core.status().peers).toMatchObject([{ node: "a", state: "linked" }])
  })

  test("[L2] whatever the order in which the greetings arrive", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World(seed)
      const [a, b] = world.mesh("a", "b")
      world.pass(1)
      for (let count = 0; count < 40; count++) {
        const actions = world.actions()
        actions[Math.floor(world.random.next() * actions.length)]?.()
      }
      world.advance(30_000)
      expect(linkCount(must(a), must(b))).toBe(1)
      write(must(a), 1)
      write(must(b), 2)
      world.advance(3000)
      expect(vectors(must(a))).toEqual(vectors(must(b)))
    }
  })

  test("[L2] a peer that crashed without a word is linked again", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    if (a === undefined || b === undefined) return
    world.advance(2000)
    world.cut(a, b, true)
    world.heal(a, b)
    b.crash()
    world.advance(limits.linkSilentMs + 10_000)
    expect(linkCount(a, b)).toBe(1)
    write(a, 1)
    world.advance(100)
    expect(vectors(b)).toEqual(vectors(a))
  })
})

describe("dialling", () => {
  test("[L8] a peer that is away is dialled ever less often, up to the maximum", () => {
    const world = new World()
    const node = world.node("a", { peers: ["nowhere"] })
    const dials = () => node.effects.filter(({ type }) => type === "dial").length
    world.advance(1000)
    const inFirstSecond = dials()
    world.advance(600_000)
    const before = dials()
    world.advance(600_000)
    const meanMs = 600_000 / (dials() - before)
    expect(1000 / inFirstSecond).toBeLessThan(meanMs / 2)
    // Full jitter: half the maximum on the average.
    expect(meanMs).toBeGreaterThan(limits.linkBackoffMsMax * 0.4)
    expect(meanMs).toBeLessThan(limits.linkBackoffMsMax * 0.6)
  })

  test("[L8] only a link that was stable resets the back-off", () => {
    const world = new World()
    const node = world.node("a", { peers: ["b"] })
    const peer = world.node("b")
    const dialsAfterLossAt = (ageMs: number) => {
      world.heal(node, peer)
      while (linkCount(node, peer) === 0) world.advance(1000)
      world.advance(ageMs)
      world.cut(node, peer)
      const before = node.effects.filter(({ type }) => type === "dial").length
      world.advance(1000)
      return node.effects.filter(({ type }) => type === "dial").length - before
    }
    world.cut(node, peer)
    world.advance(300_000)
    expect(dialsAfterLossAt(100)).toBeLessThanOrEqual(1)
    expect(dialsAfterLossAt(limits.linkStableMs + 1000)).toBeGreaterThan(1)
  })

  test("[L8] once one peer is reached, the others are tried at once, one time each", () => {
    const world = new World()
    const node = world.node("a", { peers: ["b", "c", "nowhere"] })
    const peers = [world.node("b"), world.node("c")]
    const count = () => peers.reduce((sum, peer) => sum + linkCount(node, peer), 0)
    const dialsNowhere = () =>
      node.effects.filter((it) => it.type === "dial" && it.address === "nowhere").length
    for (let round = 0; round < 6; round++) {
      for (const peer of peers) world.cut(node, peer)
      world.advance(100_000)
      for (const peer of peers) world.heal(node, peer)
      while (count() === 0) world.advance(5)
      const before = dialsNowhere()
      world.advance(limits.linkBackoffMsMin + 20)
      expect(count(), `round ${round}`).toBe(2)
      expect(dialsNowhere() - before).toBeGreaterThan(0)
      expect(dialsNowhere() - before).toBeLessThan(5)
    }
  })
})

describe("healing", () => {
  test("[L5] [L9] a bridge: A and C are not linked, and get what the other wrote soon", () => {
    const world = new World()
    const [a, b, c] = [
      world.node("a", { peers: ["b"] }),
      world.node("b", { peers: ["c"] }),
      world.node("c"),
    ]
    world.advance(3000)
    const readers = [a, c].map((node) => openStock(node, "notes"))
    const [atA, atC] = [a, c].map((node) => openNative(node, notes, ++lastClient))
    const [docA, docC] = [new YWriter(1), new YWriter(2)]
    const rounds = 400
    let lag = 0
    for (let seq = 1; seq <= rounds; seq++) {
      atA?.update(1, seq, docA.put(`a${seq}`, seq))
      atC?.update(1, seq, docC.put(`c${seq}`, seq))
      world.advance(5)
      for (const reader of readers) lag = Math.max(lag, 2 * seq - reader.of("update").length)
    }
    // It stays close behind steady writers instead of waiting for a vector to come round.
    expect(lag * 5).toBeLessThan(500)
    const count = 2 * rounds
    world.advance(500)
    expect(vectors(a, c)).toEqual(vectors(b, b))
    for (const reader of readers) {
      expect(Object.keys(jsonAfter(reader.of("update").map(({ update }) => update)))).toHaveLength(
        count,
      )
    }
  })

  test("[L9] [D4] a node whose store failed while it adopted catches up by itself", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    if (a === undefined || b === undefined) return
    world.advance(3000)
    b.store.appendFailure = "store-full"
    for (let value = 0; value < 5; value++) write(a, value)
    world.advance(2000)
    for (let value = 0; value < 5; value++) write(a, value)
    expect(vectors(b)).not.toEqual(vectors(a))
    b.store.appendFailure = undefined
    world.advance(limits.storeRetryMsMax + limits.linkWantMs + 3000)
    expect(vectors(b)).toEqual(vectors(a))
    write(b, 1)
    world.advance(100)
    expect(vectors(a)).toEqual(vectors(b))
  })

  test("[L9] a link that is lost with frames under way, again and again, loses no entry", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    if (a === undefined || b === undefined) return
    world.advance(3000)
    for (let round = 0; round < 20; round++) {
      const client = openNative(a, notes, ++lastClient)
      const doc = new YWriter(lastClient)
      for (let seq = 1; seq <= 3; seq++) {
        client.update(1, seq, doc.put("k", seq))
        world.pass(5)
        for (const action of world.actions().slice(0, round % 4)) action()
      }
      world.cut(a, b, round % 2 === 0)
      world.advance(round * 100)
      world.heal(a, b)
      world.advance(10 + round * 50)
    }
    world.advance(limits.linkSilentMs + limits.linkBackoffMsMax + 10_000)
    expect(vectors(b)).toEqual(vectors(a))
    // Besides the record that it is a member.
    expect(a.store.log.head(a.origin).seq).toBe(61)
    expect(headsOf(b)).toEqual(headsOf(a))
  })

  test("[L9] a crash between the disk and its answer repeats nothing and loses nothing", () => {
    const world = new World()
    const [a, b] = world.mesh("a", "b")
    if (a === undefined || b === undefined) return
    world.advance(3000)
    b.store.held = true
    write(a, 1)
    world.advance(50)
    expect(b.store.waiting).toEqual(["append"])
    b.crash(true)
    b.store.held = false
    world.advance(20_000)
    expect(headsOf(b)).toEqual(headsOf(a))
    a.store.held = true
    write(a, 2)
    a.crash(false)
    a.store.held = false
    write(a, 3)
    world.advance(20_000)
    expect(a.store.log.head(a.origin).seq).toBe(3)
    expect(headsOf(b)).toEqual(headsOf(a))
  })
})
