/** What is shown, acked and refused, and when: rules [D1]–[D6]. */
import { expect, test } from "vitest"
import { openNative, openStock, YWriter } from "./test/clients.ts"
import { documentNamed, World } from "./test/harness.ts"

const notes = documentNamed("notes")

test("[D1] [D2] nothing leaves between an append and its commit: no update, no ack, no entry", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const writer = openNative(node, notes, 1)
  const native = openNative(node, notes, 2)
  const stock = openStock(node, "notes")
  const remote = openStock(peer, "notes")
  world.advance(1000)
  const seen = [writer, native, stock, remote].map(({ got }) => got.length)
  node.store.held = true
  writer.update(1, 1, new YWriter(1).put("k", 1))
  world.settle()
  expect(node.store.waiting).toEqual(["append"])
  const before = node.effects.length
  world.settle()
  expect(node.effects.slice(before).filter(({ type }) => type === "send")).toEqual([])
  expect([writer, native, stock, remote].map(({ got }) => got.length)).toEqual(seen)
  expect(peer.store.log.head(node.origin).seq).toBe(0)

  node.store.held = false
  world.settle()
  expect(writer.acked).toBe(1)
  expect(native.of("updates").at(-1)?.updates).toHaveLength(1)
  expect(stock.of("update")).toHaveLength(1)
  world.advance(10)
  expect(remote.of("update")).toHaveLength(1)
})

test("[D1] a peer shows an adopted entry only after its own commit", () => {
  const world = new World()
  const [node, peer] = [world.node("n1", { peers: ["n2"] }), world.node("n2")]
  world.advance(100)
  const remote = openStock(peer, "notes")
  const writer = openNative(node, notes, 1)
  world.settle()
  peer.store.held = true
  writer.update(1, 1, new YWriter(1).put("k", 1))
  world.advance(50)
  expect(peer.store.waiting).toContain("append")
  expect(remote.of("update")).toEqual([])
  peer.store.held = false
  world.settle()
  expect(remote.of("update")).toHaveLength(1)
})
