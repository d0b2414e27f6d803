/** The end of connections, and of the node. The harness checks that nothing follows a close. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { encodeUpdate } from "../protocol/index.ts"
import { NativeClient, openNative, openStock, presenceOf, YWriter } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"

const notes = documentNamed("notes")

test("[N9] [Y6] stop tells everybody once, after what was accepted is durable", () => {
  const world = new World()
  const [node, peer] = world.mesh("n1", "n2")
  if (node === undefined || peer === undefined) throw new Error("two nodes")
  world.advance(2000)
  const native = openNative(node, notes, 1)
  const stock = openStock(node, "notes")
  native.presence(1, presenceOf(1, 1))
  stock.awareness(presenceOf(2, 1))
  world.settle()
  node.store.held = true
  native.update(1, 1, new YWriter(1).put("k", 1))
  world.settle()
  node.input({ type: "stop" })
  node.input({ type: "stop" })
  native.update(1, 2, new YWriter(2).put("k", 2))
  world.settle()
  expect([native.closed, stock.closed, node.isStopped]).toEqual([undefined, undefined, false])
  expect(node.core.status().ready).toBe(false)
  node.store.held = false
  world.settle()
  expect(native.acked).toBe(1)
  expect([native.closed?.reason, stock.closed?.reason]).toEqual([
    "service-restart",
    "service-restart",
  ])
  expect(node.isStopped).toBe(true)
  expect(node.store.log.head(node.origin).seq).toBe(1)
  const late = new NativeClient(node)
  world.settle()
  expect(late.closed?.reason).toBe("service-restart")
  expect(node.core.nextDeadline()).toBeUndefined()
})

test("[N11] [N13] a connection that is silent and congested at once is closed once", () => {
  const world = new World()
  const node = world.node()
  const client = openNative(node, notes, 1)
  client.congested()
  world.pass(limits.congestedMs + limits.clientSilentMs)
  world.settle()
  expect(client.closed?.reason).toBe("silent")
})

test("[F4] frames that follow a fault on their connection are ignored", () => {
  const world = new World()
  const node = world.node()
  const client = openNative(node, notes, 1)
  const update = new YWriter(1).put("k", 1)
  node.input({ type: "frame", connection: client.id, frame: Uint8Array.of(99) })
  const frame = encodeUpdate({ type: "update", channel: 1, seq: 1, updates: [update] })
  node.input({ type: "frame", connection: client.id, frame })
  node.input({ type: "congested", connection: client.id })
  node.input({ type: "drained", connection: client.id })
  node.input({ type: "bad-frame", connection: client.id, why: "malformed" })
  world.settle()
  expect(client.closed?.reason).toBe("malformed")
  expect(node.store.log.head(node.origin).seq).toBe(0)
  node.input({ type: "closed", connection: client.id })
  expect(node.eventsOf("session-closed")).toHaveLength(1)
})
