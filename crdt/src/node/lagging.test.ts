/** Sessions whose sockets are full: nothing live, then what they missed. Rules [N6] [N13]. */
import { describe, expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { commit, jsonAfter, openNative, YWriter } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"

const notes = documentNamed("notes")

describe("a full socket", () => {
  test("[N13] gets nothing live until it drains, then exactly what it missed, from the log", () => {
    const node = new World().node()
    const [writer, slow] = [openNative(node, notes, 1), openNative(node, notes, 2)]
    const doc = new YWriter(1)
    writer.update(1, 1, doc.put("a", 1))
    commit(node)
    slow.congested()
    const before = slow.of("updates").length
    writer.update(1, 2, doc.put("b", 2))
    commit(node)
    writer.update(1, 3, doc.put("c", 3))
    commit(node)
    expect(slow.of("updates")).toHaveLength(before)
    slow.drained()
    writer.update(1, 4, doc.put("d", 4))
    commit(node)
    const missed = slow.of("updates").slice(before)
    expect(missed.map(({ updates, complete }) => [updates.length, complete])).toEqual([
      [2, true],
      [1, false],
    ])
    expect(jsonAfter(slow.of("updates").flatMap(({ updates }) => updates))).toEqual({
      a: 1,
      b: 2,
      c: 3,
      d: 4,
    })
  })

  test("[N13] that fills up during the join, or again during the catch-up, misses nothing", () => {
    const world = new World()
    const node = world.node()
    const writer = openNative(node, notes, 1)
    const doc = new YWriter(1)
    node.jobsHeld = true
    const slow = openNative(node, notes, 2)
    slow.congested()
    node.jobsHeld = false
    world.settle()
    writer.update(1, 1, doc.put("a", 1))
    commit(node)
    expect(slow.of("updates").flatMap(({ updates }) => updates)).toEqual([])
    node.store.held = true
    slow.drained()
    slow.congested()
    node.store.held = false
    world.settle()
    writer.update(1, 2, doc.put("b", 2))
    commit(node)
    slow.drained()
    world.settle()
    const got = slow.of("updates").flatMap(({ updates }) => updates)
    expect(jsonAfter(got)).toEqual({ a: 1, b: 2 })
    expect(got).toHaveLength(2)
  })

  test("[N13] is not sent again and again a snapshot that holds more than the log says", () => {
    const node = new World().node()
    const state = new YWriter(1).put("a", 1)
    const folded = new VersionVector([[testOrigin("cut"), 140]])
    node.store.log.append({ own: [], adopted: [], snapshots: [{ document: notes, state, folded }] })
    const slow = openNative(node, notes, 2)
    for (let round = 0; round < 5; round++) {
      slow.congested()
      slow.drained()
      node.world.settle()
    }
    const sent = slow.of("updates").flatMap(({ updates }) => updates)
    expect(jsonAfter(sent)).toEqual({ a: 1 })
    // With the join, and once more, as nobody knew then what its snapshot holds.
    expect(sent).toHaveLength(2)
  })

  test("[N6] [N13] is acked, but not told that it holds what it was not sent", () => {
    const node = new World().node()
    const [writer, slow] = [openNative(node, notes, 1), openNative(node, notes, 2)]
    slow.congested()
    writer.update(1, 1, new YWriter(1).put("a", 1))
    commit(node)
    slow.update(1, 1, new YWriter(2).put("b", 2))
    commit(node)
    expect(slow.of("ack")).toEqual([{ type: "ack", tier: "node", seq: 1, marks: [] }])
    slow.drained()
    node.world.settle()
    slow.update(1, 2, new YWriter(3).put("c", 3))
    commit(node)
    expect(slow.of("updates").at(-1)?.updates).toHaveLength(2)
    expect(slow.of("ack").at(-1)?.marks).toEqual([{ channel: 1, seq: 3 }])
  })

  test("[N13] that stays full is closed as too slow", () => {
    const world = new World()
    const node = world.node()
    const client = openNative(node, notes, 1)
    client.congested()
    for (let waited = 0; waited <= limits.congestedMs; waited += limits.clientHeartbeatMs) {
      expect(client.closed).toBeUndefined()
      client.send({ type: "ping" })
      world.advance(limits.clientHeartbeatMs)
    }
    expect(client.closed?.reason).toBe("too-slow")
  })
})
