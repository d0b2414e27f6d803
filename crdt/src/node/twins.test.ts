/** Two processes on copies of one folder: noticed by themselves and by others. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { testOrigin } from "../testing/store-fixtures.ts"
import { documentNamed, World } from "./test/harness.ts"
import { greet, linked, Peer, recordsOf } from "./test/peer.ts"

const records = recordsOf(documentNamed("notes"), 4)

test("[X8] another process under this node's id is reported, and what it wrote is adopted", () => {
  const world = new World()
  const node = world.node()
  const twin = linked(node, "n1")
  expect(twin.closed).toBe(undefined)
  twin.entries(twin.origin, 1, records)
  world.advance(100)
  expect(node.store.log.head(twin.origin).seq).toBe(records.length)
  expect(node.eventsOf("twin-detected")).toEqual([
    { type: "twin-detected", node: "n1", origins: [node.origin, twin.origin] },
  ])
  expect(node.core.status().twins).toMatchObject([{ node: "n1" }])
})

test("[X8] two that write under one origin: the smaller greeting takes a fresh one", () => {
  const world = new World()
  const node = world.node()
  node.store.log.appendOwn(records)
  node.crash()
  const { origin } = node
  for (let round = 0; round < 20 && node.reopened.length === 0; round++) {
    const twin = linked(node, "n1", { origin })
    world.advance(limits.sweepMs)
    expect(["self-link", "service-restart"]).toContain(twin.closed?.reason)
  }
  expect(node.reopened).toEqual([{ why: "overtaken", keepSeq: Number.MAX_SAFE_INTEGER }])
  expect(node.origin).not.toBe(origin)
  expect(node.store.log.head(origin).seq).toBe(records.length)
})

test("[X8] a node of which an origin comes back after another one is more than one process", () => {
  const world = new World()
  const node = world.node()
  const [one, other] = [testOrigin("peer", 1), testOrigin("peer", 2)]
  const greetings = [one, other, other]
  for (const origin of greetings) linked(node, "peer", { origin })
  // A restart with a fresh epoch looks the same so far.
  expect(node.core.status().twins).toEqual([])
  for (let round = 0; round < 3; round++) linked(node, "peer", { origin: one })
  expect(node.eventsOf("twin-detected")).toMatchObject([{ node: "peer", origins: [one, other] }])
})

test("[L2] [X8] what was under way from an earlier life makes no link and no twin", () => {
  const world = new World()
  const node = world.node()
  const [earlier, later] = [testOrigin("peer", 1), testOrigin("peer", 2)]
  linked(node, "peer", { origin: earlier })
  const underWay = new Peer(node)
  world.settle()
  const present = linked(node, "peer", { origin: later })
  greet(underWay, { origin: earlier })
  world.settle()
  expect(underWay.closed?.reason).toBe("duplicate-link")
  expect(present.closed).toBe(undefined)
  expect(node.core.status().twins).toEqual([])
  // On a link that is opened only now it is somebody else.
  linked(node, "peer", { origin: earlier })
  expect(node.core.status().twins).toMatchObject([{ node: "peer", origins: [earlier, later] }])
})

test("[X8] [L1] a node that dials itself is no twin", () => {
  const world = new World()
  const node = world.node("n1", { peers: ["n1"] })
  world.advance(5000)
  expect(node.core.status().twins).toEqual([])
  expect(node.core.status().peers).toMatchObject([{ address: "n1", state: "self" }])
})
