/** A node whose own log was put back, copied or damaged: what its core does about it. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { bodyOf, chainRecords, decodeUpdate } from "../log/index.ts"
import type { OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { clientNumbered, jsonAfter, openNative, vectorOf, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"
import { headAfter, linked, recordsOf } from "./test/peer.ts"

const notes = documentNamed("notes")
const records = recordsOf(notes, 9)
const strangeHash = new Uint8Array(16).fill(9)

/** A node whose own log holds the first `count` of `records`. */
function setup(count: number) {
  const world = new World()
  const node = world.node()
  node.store.log.appendOwn(records.slice(0, count))
  node.crash()
  const { origin } = node
  const claims = (head: Head) => ({ heads: new Map([[origin, head]]) })
  return { world, node, origin, claims }
}

describe("claims and evidence", () => {
  test("[E3] an entry that continues our log shows that peers have more of it", () => {
    const { world, node, origin, claims } = setup(3)
    const peer = linked(node, "peer", claims(headAfter(origin, records)))
    expect(peer.of("want")).toEqual([{ type: "want", origin, fromSeq: 4 }])
    expect(node.eventsOf("fork-detected")).toMatchObject([{ origin, seq: 3, peer: "peer" }])
    peer.entries(origin, 4, records.slice(3), headAfter(origin, records.slice(0, 3)).hash)
    world.settle()
    expect(node.reopened).toEqual([{ why: "overtaken", keepSeq: 3 }])
    expect(peer.closed?.reason).toBe("service-restart")
    expect(node.origin).not.toBe(origin)
    // What was its own it now pulls like anything else.
    const again = linked(node, "peer", claims(headAfter(origin, records)))
    expect(again.of("want")).toEqual([{ type: "want", origin, fromSeq: 4 }])
    again.entries(origin, 4, records.slice(3), headAfter(origin, records.slice(0, 3)).hash)
    world.advance(100)
    expect(node.store.log.head(origin)).toEqual(headAfter(origin, records))
  })

  test.each([
    ["holds more", 9, 6],
    ["holds as much", 6, 6],
    ["holds less", 6, 9],
    ["and this node share nothing", 6, 6, 0],
    ["and this node share all but the last", 6, 6, 5],
  ])(
    "[E3] the last entry that both have is found where the peer %s",
    (_, theirs, ours, shared = 2) => {
      const { world, node, origin, claims } = setup(ours)
      const branch = [...records.slice(0, shared), ...records.toReversed()].slice(0, theirs)
      const peer = linked(node, "peer", claims(headAfter(origin, branch)))
      for (let count = 0; count < 10 && node.reopened.length === 0; count++) {
        const { fromSeq } = must(peer.of("want").at(-1))
        const previous = headAfter(origin, branch.slice(0, fromSeq - 1))
        peer.entries(origin, fromSeq, branch.slice(fromSeq - 1), previous.hash)
        world.settle()
      }
      expect(node.reopened).toEqual([{ why: "overtaken", keepSeq: shared }])
      expect(node.store.log.head(origin).seq).toBe(shared)
      // And that the old one was cut.
      expect(node.store.log.head(node.origin).seq).toBe(ours - shared + 1)
    },
  )

  test("[E5] [L6] a claim without an entry is reported once, and everything else goes on", () => {
    const { world, node, origin, claims } = setup(3)
    const peer = linked(node, "peer", claims({ seq: 7, hash: strangeHash }))
    const far = testOrigin("far")
    peer.entries(far, 1, records)
    for (let round = 0; round < 5; round++) {
      peer.vector([origin, { seq: 8 + round, hash: strangeHash }])
      world.advance(limits.linkWantMs)
      peer.send({ type: "ping" })
    }
    expect(peer.closed).toBe(undefined)
    expect(node.reopened).toEqual([])
    expect(node.eventsOf("fork-detected")).toHaveLength(1)
    expect(node.store.log.head(far).seq).toBe(records.length)
    expect(node.store.log.head(origin).seq).toBe(3)
    // It is asked again from time to time, and not all the time.
    expect(peer.of("want").length).toBeGreaterThan(1)
    expect(peer.of("want").length).toBeLessThan(6)
  })

  test("[E5] another peer's evidence is not held up by one that only claims", () => {
    const { world, node, origin, claims } = setup(3)
    linked(node, "liar", claims({ seq: 7, hash: strangeHash }))
    const honest = linked(node, "honest", claims(headAfter(origin, records)))
    expect(honest.of("want")).toEqual([])
    world.advance(limits.linkWantMs + 2 * limits.sweepMs)
    expect(honest.of("want")).toEqual([{ type: "want", origin, fromSeq: 4 }])
    honest.entries(origin, 4, records.slice(3), headAfter(origin, records.slice(0, 3)).hash)
    world.settle()
    expect(node.reopened).toEqual([{ why: "overtaken", keepSeq: 3 }])
  })

  test("[E5] entries that no log can have are no evidence", () => {
    const { world, node, origin, claims } = setup(3)
    const peer = linked(node, "peer", claims({ seq: 2, hash: strangeHash }))
    for (let round = 0; round < 4; round++) {
      // Each one says that the difference lies further down.
      const { fromSeq } = must(peer.of("want").at(-1))
      peer.entries(origin, fromSeq, [must(records[8])], strangeHash)
      world.settle()
    }
    expect(node.reopened).toEqual([])
    expect(peer.of("want").map(({ fromSeq }) => fromSeq)).toEqual([2, 1])
  })

  test("[L6] own entries are never adopted, asked for or not, and must decode", () => {
    const { world, node, origin, claims } = setup(1)
    const unasked = linked(node, "unasked")
    unasked.entries(origin, 2, records)
    const peer = linked(node, "peer", claims({ seq: 4, hash: strangeHash }))
    peer.entries(origin, 2, [Uint8Array.of(1)])
    world.settle()
    expect(peer.closed?.reason).toBe("malformed")
    expect(node.reopened).toEqual([])
    expect(node.store.log.head(origin).seq).toBe(1)
  })

  test("[E5] a node that peers make open its log anew waits longer each time", () => {
    const { world, node } = setup(1)
    const attack = () => {
      const { origin } = node
      const head = node.store.log.head(origin)
      const more = chainRecords(head, origin, records)
      const peer = linked(node, "peer", { heads: new Map([[origin, more]]) })
      peer.entries(origin, head.seq + 1, records, head.hash)
      world.settle()
    }
    const waits: number[] = []
    let lastMs = world.nowMs
    while (waits.length < 4) {
      const before = node.reopened.length
      attack()
      if (node.reopened.length > before) {
        waits.push(world.nowMs - lastMs)
        lastMs = world.nowMs
      } else world.advance(limits.reopenPauseMs / 6)
    }
    const pause = limits.reopenPauseMs
    expect(waits).toEqual([0, pause, 2 * pause, 4 * pause])
  })
})

describe("damage", () => {
  test("[E6] a record that can't be read ends the core once, and its connections retryably", () => {
    const { world, node } = setup(3)
    const client = openNative(node, notes, 1)
    world.settle()
    node.store.readFailure = "corrupt"
    const late = openNative(node, documentNamed("other"), 2)
    world.settle()
    expect(node.reopened).toEqual([{ why: "corrupt" }])
    expect(client.closed?.reason).toBe("service-restart")
    expect(late.closed?.reason).toBe("read-failed")
    // The disk goes on failing: no loop of openings.
    for (const index of [3, 4]) openNative(node, notes, index)
    world.advance(limits.reopenPauseMs / 2)
    expect(node.reopened).toHaveLength(1)
    world.advance(limits.reopenPauseMs)
    openNative(node, notes, 5)
    world.settle()
    expect(node.reopened).toHaveLength(2)
  })

  test("[E6] what was accepted is durable before the core ends", () => {
    const { world, node } = setup(3)
    const client = openNative(node, notes, 1)
    world.settle()
    node.store.held = true
    node.store.readFailure = "corrupt"
    const late = openNative(node, documentNamed("other"), 2)
    client.update(1, 1, new YWriter(1).put("k", 1))
    for (const action of world.actions()) action()
    client.update(1, 2, new YWriter(2).put("k", 1))
    node.store.held = false
    world.settle()
    expect(node.reopened).toEqual([{ why: "corrupt" }])
    expect(late.closed).toBeDefined()
    expect(node.store.log.readClient(clientNumbered(1))).toBe(1)
  })

  test("[E6] a core that is over takes nothing in and has no deadline", () => {
    const { world, node } = setup(3)
    const { core } = node
    node.store.readFailure = "corrupt"
    openNative(node, notes, 1)
    world.settle()
    expect(node.core).not.toBe(core)
    expect(core.nextDeadline()).toBe(undefined)
    expect(core.status().ready).toBe(false)
    const effects: never[] = []
    core.step(
      { type: "opened", connection: 77, endpoint: { type: "native" } },
      world.nowMs,
      effects,
    )
    expect(effects).toEqual([])
  })
})

describe("a disk that was put back", () => {
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

  function bodiesBehind(node: TestNode, origin: OriginId, seq: number): Uint8Array[] {
    const { run } = node.store.log.readOrigin(origin, seq + 1, Infinity)
    return run.records.flatMap((record) => decodeUpdate(record)?.body ?? [])
  }

  test.each([
    ["fewer", 1],
    ["as many", 4],
    ["more", 9],
  ])(
    "[E3] [E7] [L9] with %s writes since than peers have: nothing is lost on either side",
    (_, since) => {
      const world = new World(7)
      const [a, b, c] = world.mesh("a", "b", "c").map(must)
      if (a === undefined || b === undefined || c === undefined) return
      const origin = a.origin
      world.advance(5000)
      write(a, 5)
      const backup = a.store.log.copy()
      write(a, 4)
      world.advance(5000)
      for (const other of [b, c]) world.cut(a, other)
      a.restore(backup)
      write(a, since)
      a.crash()
      write(a, 1)
      for (const other of [b, c]) world.heal(a, other)
      world.advance(60_000)
      // The first is the record that it is a member.
      expect(a.reopened).toEqual([{ why: "overtaken", keepSeq: 6 }])
      const heads = a.store.log.heads().filter(([, { seq }]) => seq > 0)
      for (const other of [b, c]) {
        expect(other.store.log.heads().filter(([, { seq }]) => seq > 0)).toEqual(heads)
      }
      expect(a.store.log.head(origin).seq).toBe(10)
      expect(a.store.log.head(a.origin).seq).toBe(since + 2)
      const bodies = a.store.log.readDocument(notes).entries.map(({ record }) => bodyOf(record))
      expect(Object.keys(jsonAfter(bodies)).length).toBe(9 + since + 1)
      // A client that was shown the other branch under the same numbers is sent this one too.
      const shown = vectorOf([
        [origin, 10],
        [a.origin, since + 2],
      ])
      const client = openNative(a, notes, ++lastClient, { type: "vector", vector: shown })
      world.settle()
      const sent = client.of("updates").flatMap(({ updates }) => updates)
      expect(sent).toEqual(bodiesBehind(a, origin, 6))
    },
  )
})
