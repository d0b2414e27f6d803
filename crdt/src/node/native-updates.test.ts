/** Updates of SDK clients: numbers, acks, refusals. Rules [N5]–[N8] [N14], [D3] [D6] [F7]. */
import { expect, test } from "vitest"
import { limits } from "../base/index.ts"
import { commit, jsonAfter, logged, NativeClient, openNative, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"

const notes = documentNamed("notes")
const plans = documentNamed("plans")

test("[N5] only the next number is taken, and each is logged once", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  const doc = new YWriter(1)
  client.update(1, 2, doc.put("early", 1))
  client.update(1, 1, doc.put("a", 1), doc.put("b", 1))
  client.update(1, 1, doc.put("a", 1), doc.put("b", 1), doc.put("c", 1))
  commit(node)
  commit(node)
  client.update(1, 2, doc.put("b", 1))
  commit(node)
  expect(logged(node, 1)).toEqual([1, 2, 3])
  expect(client.of("ack").at(-1)?.seq).toBe(3)
})

test("[N5] the sequence runs over all documents, and starts where the hello says", () => {
  const node = new World().node()
  const client = new NativeClient(node)
  client.hello(1, 41)
  node.world.settle()
  client.open(1, notes)
  client.open(2, plans)
  client.update(2, 41, new YWriter(1).put("a", 1))
  client.update(1, 42, new YWriter(1).put("a", 1))
  commit(node)
  commit(node)
  expect(logged(node, 1)).toEqual([41, 42])
  expect(client.acked).toBe(42)
})

test("[N6] [N8] an ack follows its commit's updates and marks the writer's own", () => {
  const node = new World().node()
  const [one, two] = [openNative(node, notes, 1), openNative(node, notes, 2)]
  node.store.held = true
  one.update(1, 1, new YWriter(1).put("first", 1))
  node.world.settle()
  const before = [one.got.length, two.got.length]
  one.update(1, 2, new YWriter(3).put("a", 1))
  node.world.settle()
  two.update(1, 1, new YWriter(4).put("b", 1))
  node.world.settle()
  one.update(1, 3, new YWriter(5).put("c", 1))
  node.world.settle()
  node.store.held = false
  commit(node)
  const [atOne, atTwo] = [one.got.slice(before[0]), two.got.slice(before[1])]
  expect(atOne.map(({ type }) => type)).toEqual(["ack", "updates", "ack"])
  expect(atTwo.map(({ type }) => type)).toEqual(["updates", "updates", "ack"])
  expect(one.of("ack").at(-1)).toEqual({
    type: "ack",
    tier: "node",
    seq: 3,
    marks: [{ channel: 1, seq: 4 }],
  })
  expect(two.of("ack").at(-1)?.marks).toEqual([{ channel: 1, seq: 3 }])
  // Neither got its own back.
  expect(jsonAfter(one.of("updates").flatMap(({ updates }) => updates))).toEqual({ b: 1 })
  expect(jsonAfter(two.of("updates").flatMap(({ updates }) => updates))).toEqual({
    first: 1,
    a: 1,
    c: 1,
  })
})

test("[N8] all readers of a document get the very same bytes", () => {
  const node = new World().node()
  const writer = openNative(node, notes, 1)
  const readers = [2, 3, 4].map((client) => openNative(node, notes, client))
  writer.update(1, 1, new YWriter(1).put("k", 1))
  commit(node)
  const sends = node.effects.filter((effect) => effect.type === "send")
  expect(sends.filter(({ to }) => to.length === readers.length)).toHaveLength(1)
})

test("[N7] after a permanent refusal the sequence goes on, and what is acked includes it", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  const good = new YWriter(1)
  client.update(1, 1, Uint8Array.of(1, 2, 3), good.put("a", 1))
  commit(node)
  expect(client.of("reject").map(({ seq, code }) => [seq, code])).toEqual([[1, "invalid-update"]])
  expect(client.acked).toBe(2)
  expect(logged(node, 1)).toEqual([2])
})

test("[F7] [D3] an update over the limit is refused, one at the limit is not", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  const at = (bytes: number) => {
    const small = new YWriter(1).put("k", "x".repeat(bytes - 100))
    return new YWriter(1).put("k", "x".repeat(bytes - 100 + (bytes - small.length)))
  }
  const exact = at(limits.updateBytesMax)
  expect(exact.length).toBe(limits.updateBytesMax)
  client.update(1, 1, at(limits.updateBytesMax + 1))
  client.update(1, 2, exact)
  commit(node)
  expect(client.of("reject").map(({ seq, code }) => [seq, code])).toEqual([[1, "too-large"]])
  expect(logged(node, 1)).toEqual([2])
})

test("[N7] after a retryable refusal higher numbers are ignored until that one comes again", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  const doc = new YWriter(1)
  const updates = [1, 2, 3].map((value) => doc.put("k", value))
  client.update(9, 1, must(updates[0]))
  client.update(1, 2, must(updates[1]))
  commit(node)
  expect(client.of("reject").map(({ seq, code }) => [seq, code])).toEqual([
    [1, "document-not-open"],
  ])
  expect(logged(node, 1)).toEqual([])
  client.update(1, 1, ...updates)
  commit(node)
  expect(client.acked).toBe(3)
})

test("[D6] [N7] past the open batch updates are refused, nothing accepted is dropped", () => {
  const world = new World()
  const node = world.node()
  const clients = [1, 2, 3].map((id) => openNative(node, documentNamed(`d${id}`, "automerge"), id))
  node.store.held = true
  const empty = new Uint8Array()
  const sent = limits.updatesPerFrameMax
  clients[0]?.update(1, 1, empty)
  world.settle()
  for (const client of clients)
    client.update(1, client === clients[0] ? 2 : 1, ...Array.from({ length: sent }, () => empty))
  world.settle()
  const rejects = clients.map((client) => client.of("reject").map(({ seq, code }) => [seq, code]))
  expect(rejects).toEqual([[], [], [[1, "overloaded"]]])
  node.store.held = false
  commit(node)
  expect(clients.map(({ acked }) => acked)).toEqual([sent + 1, sent, 0])
  clients[2]?.update(1, 1, empty)
  commit(node)
  expect(clients[2]?.acked).toBe(1)
  expect(node.store.log.head(node.origin).seq).toBe(2 * sent + 2)
})

test("[N7] past its window of unacked bytes a client is refused as overloaded", () => {
  const world = new World()
  const node = world.node()
  const client = openNative(node, notes, 1)
  node.store.held = true
  const doc = new YWriter(1)
  for (let seq = 1; seq <= 5; seq++) {
    client.update(1, seq, doc.put(`k${seq}`, "x".repeat(3 * 1024 * 1024)))
    world.settle()
  }
  expect(client.of("reject").map(({ seq, code }) => [seq, code])).toEqual([[4, "overloaded"]])
  node.store.held = false
  commit(node)
  expect(client.acked).toBe(3)
  client.update(1, 4, doc.put("k", 4))
  commit(node)
  expect(client.acked).toBe(4)
})

test("[N14] an update that lacks predecessors is logged and waits; too many are refused", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  const doc = new YWriter(1)
  const lost = doc.put("lost", 0)
  client.update(1, 1, doc.put("k", "x".repeat(limits.pendingBytesMax / 2)))
  commit(node)
  client.update(1, 2, doc.put("k", "x".repeat(limits.pendingBytesMax / 2)))
  commit(node)
  client.update(1, 3, doc.put("k", "more"))
  commit(node)
  expect(client.of("reject").map(({ seq, code }) => [seq, code])).toEqual([
    [3, "missing-predecessors"],
  ])
  expect(client.acked).toBe(2)
  expect(lost.length).toBeGreaterThan(0)
})

test("[N14] [N7] an empty update in place of one refused so lets the sequence go on", () => {
  const node = new World().node()
  const client = openNative(node, notes, 1)
  client.open(2, plans)
  const doc = new YWriter(1)
  doc.put("lost", 0)
  client.update(1, 1, doc.put("k", "x".repeat(limits.pendingBytesMax)))
  commit(node)
  client.update(1, 2, doc.put("k", "more"))
  client.update(1, 2, new Uint8Array(0))
  client.update(2, 3, new YWriter(2).put("a", 1))
  commit(node)
  const codes = client.of("reject").map(({ seq, code }) => [seq, code])
  // It says nothing, which no engine reads: what matters is that it is over for good.
  expect(codes).toEqual([
    [2, "missing-predecessors"],
    [2, "invalid-update"],
  ])
  expect(client.acked).toBe(3)
})
