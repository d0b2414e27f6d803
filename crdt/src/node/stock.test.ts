/** Stock y-websocket clients: rules [Y1]–[Y8]; awareness is in presence.test.ts. */
import { expect, test } from "vitest"
import * as Y from "yjs"
import { limits } from "../base/index.ts"
import { encodeYStep1, encodeYUpdate } from "../protocol/stock/index.ts"
import { jsonAfter, openNative, openStock, StockClient, YWriter } from "./test/clients.ts"
import { documentNamed, must, World } from "./test/harness.ts"
import type { TestNode } from "./test/harness.ts"

const notes = documentNamed("notes")

function entries(node: TestNode): number {
  return node.store.log.head(node.origin).seq
}

test.each([undefined, "", "x".repeat(513), "é".repeat(257), "\ud800"])(
  "[Y1] room %j closes with bad-document-name",
  (room) => {
    const node = new World().node()
    const client = new StockClient(node, room)
    node.world.settle()
    expect(client.closed?.reason).toBe("bad-document-name")
    expect(client.got).toEqual([])
  },
)

test.each(["x".repeat(512), "a/b c?", "é".repeat(256)])(
  "[Y1] room %j is the Yjs document of that name on every endpoint",
  (room) => {
    const node = new World().node()
    const native = openNative(node, documentNamed(room), 1)
    const stock = openStock(node, room)
    stock.update(new YWriter(1).put("k", 1))
    node.world.settle()
    expect(native.of("updates").at(-1)?.updates).toHaveLength(1)
  },
)

test("[Y2] each message is a frame of its own, also of one commit", () => {
  const node = new World().node()
  const [writer, reader] = [openStock(node, "notes"), openStock(node, "notes")]
  const doc = new YWriter(1)
  node.store.held = true
  const updates = [1, 2, 3].map((value) => doc.put("k", value))
  for (const update of updates) writer.update(update)
  node.world.settle()
  node.store.held = false
  node.world.advance(limits.commitPaceMs)
  // The harness decodes every frame to its last byte.
  expect(reader.of("update").map(({ update }) => update)).toEqual(updates)
  expect(writer.of("update")).toEqual([])
})

test("[Y3] step 1 is answered with what the client lacks, and with the node's own step 1", () => {
  const node = new World().node()
  const doc = new YWriter(1)
  const writer = openStock(node, "notes")
  writer.update(doc.put("old", 1))
  node.world.advance(limits.commitPaceMs)
  const held = Y.encodeStateVector(doc.doc)
  writer.update(doc.put("new", 2))
  node.world.advance(limits.commitPaceMs)
  const reader = new StockClient(node, "notes")
  reader.step1(held)
  node.world.advance(limits.commitPaceMs)
  expect(reader.got.map(({ type }) => type)).toEqual(["step2", "step1"])
  const [answer] = reader.of("step2")
  expect(Y.decodeUpdate(must(answer).update).structs).toHaveLength(1)
  const [asked] = reader.of("step1")
  expect(Y.decodeStateVector(must(asked).summary)).toEqual(new Map([[1, 2]]))
})

test("[Y3] what the client has and the node lacks is saved and shown", () => {
  const node = new World().node()
  const [client, reader] = [openStock(node, "notes"), openStock(node, "notes")]
  const offline = new YWriter(5)
  offline.put("a", 1)
  client.step2(Y.encodeStateAsUpdate(offline.doc))
  node.world.advance(limits.commitPaceMs)
  expect(jsonAfter(reader.of("update").map(({ update }) => update))).toEqual({ a: 1 })
  expect(entries(node)).toBe(1)
})

test("[Y3] a client that never asks for the state is sent nothing live", () => {
  const node = new World().node()
  const [writer, quiet] = [openStock(node, "notes"), new StockClient(node, "notes")]
  writer.update(new YWriter(1).put("k", 1))
  node.world.advance(limits.commitPaceMs)
  expect(quiet.got).toEqual([])
  quiet.step1()
  node.world.advance(limits.commitPaceMs)
  expect(quiet.of("step2")).toHaveLength(1)
})

test("[Y4] a step 2 that repeats what is known, deletions too, is not logged", () => {
  const node = new World().node()
  const client = openStock(node, "notes")
  const doc = new YWriter(1)
  client.update(doc.put("k", 1))
  client.update(doc.put("k", 2))
  node.world.advance(limits.commitPaceMs)
  const before = entries(node)
  client.step2(Y.encodeStateAsUpdate(doc.doc))
  client.step2(Uint8Array.of(0, 0))
  client.update(Uint8Array.of(0, 0))
  node.world.advance(limits.commitPaceMs)
  expect(entries(node)).toBe(before)
  const [deletion] = [doc.change(() => doc.doc.getMap("map").delete("k"))]
  client.step2(must(deletion))
  node.world.advance(limits.commitPaceMs)
  expect(entries(node)).toBe(before + 1)
})

test("[Y4] what can't be judged is logged: nothing is lost while the log can't be read", () => {
  const node = new World().node()
  const client = openStock(node, "notes")
  const other = documentNamed("other")
  const stranger = new StockClient(node, "other")
  node.store.readFailure = "store-failed"
  stranger.step2(new YWriter(1).put("k", 1))
  node.world.advance(limits.commitPaceMs)
  expect(node.store.log.readDocument(other).entries).toHaveLength(1)
  expect(client.closed).toBeUndefined()
})

test("[Y7] what the client can't mend closes for good, what may pass for now", () => {
  const node = new World().node()
  const reasonAfter = (act: (client: StockClient) => void) => {
    const client = openStock(node, "notes")
    act(client)
    node.world.advance(limits.commitPaceMs)
    return client.closed?.reason
  }
  const big = new YWriter(1).put("k", "x".repeat(limits.updateBytesMax))
  expect(reasonAfter((client) => client.update(Uint8Array.of(1, 2, 3)))).toBe("invalid-update")
  expect(reasonAfter((client) => client.step2(Uint8Array.of(9)))).toBe("invalid-update")
  expect(reasonAfter((client) => client.update(big))).toBe("too-large")
  expect(reasonAfter((client) => client.step2(big))).toBe("too-large")
  expect(reasonAfter((client) => client.sendFrame(Uint8Array.of(7)))).toBe("malformed")
  expect(reasonAfter((client) => client.sendFrame(new Uint8Array()))).toBe("malformed")
  expect(reasonAfter((client) => client.step1(Uint8Array.of(3)))).toBe("malformed")
  expect(entries(node)).toBe(0)
  node.store.appendFailure = "store-full"
  expect(reasonAfter((client) => client.update(new YWriter(1).put("k", 1)))).toBe("store-failed")
  expect(reasonAfter((client) => client.update(new YWriter(1).put("k", 1)))).toBe("store-failed")
})

test("[Y7] [D6] past the open batch stock clients are closed, and lose nothing", () => {
  const world = new World()
  const node = world.node()
  const client = openStock(node, "notes")
  const doc = new YWriter(1)
  node.store.held = true
  let taken = -1
  while (client.closed === undefined && taken < 10) {
    client.update(doc.put(`k${taken}`, "x".repeat(limits.openBatchBytesMax / 2 - 1000)))
    world.settle()
    taken += 1
  }
  expect(client.closed?.reason).toBe("overloaded")
  // One under way, two in the open batch.
  expect(taken).toBe(3)
  node.store.held = false
  world.advance(limits.commitPaceMs)
  expect(entries(node)).toBe(taken)
})

test("[Y8] an update whose predecessors are missing is logged, and makes the node ask once", () => {
  const world = new World()
  const node = world.node()
  const client = openStock(node, "notes")
  const doc = new YWriter(1)
  const missing = doc.put("k", 0)
  world.advance(limits.sweepMs)
  const asked = client.of("step1").length
  client.update(doc.put("k", 1))
  world.advance(limits.commitPaceMs)
  client.update(doc.put("k", 2))
  world.advance(limits.commitPaceMs)
  expect(entries(node)).toBe(2)
  expect(client.of("step1")).toHaveLength(asked + 1)
  expect(Y.decodeStateVector(must(client.of("step1").at(-1)).summary)).toEqual(new Map())
  // No answer came: once more, later.
  world.advance(limits.sweepMs * 2)
  expect(client.of("step1").length).toBe(asked + 2)
  client.step2(Y.mergeUpdates([missing]))
  world.advance(limits.sweepMs * 4)
  expect(client.of("step1")).toHaveLength(asked + 2)
  expect(jsonAfter([must(openStock(node, "notes").of("step2")[0]).update])).toEqual({ k: 2 })
})

test("[Y8] while a client's own answer is on its way it is not asked again", () => {
  const world = new World()
  const node = world.node()
  const client = openStock(node, "notes")
  const offline = new YWriter(5)
  offline.put("a", "long")
  node.jobsHeld = true
  client.step2(Y.encodeStateAsUpdate(offline.doc))
  for (let value = 0; value < 5; value++) client.update(offline.put("b", value))
  world.settle()
  node.jobsHeld = false
  world.advance(limits.sweepMs * 3)
  expect(client.of("step1")).toHaveLength(1)
  expect(entries(node)).toBe(6)
})

test("[Y8] [N14] past pendingBytesMax of waiting updates the connection closes", () => {
  const world = new World()
  const node = world.node()
  const client = new StockClient(node, "notes")
  const doc = new YWriter(1)
  doc.put("lost", 0)
  for (let count = 0; count < 5 && client.closed === undefined; count++) {
    client.update(doc.put("k", "x".repeat(limits.pendingBytesMax / 2)))
    world.advance(limits.commitPaceMs)
  }
  expect(client.closed?.reason).toBe("missing-predecessors")
  expect(entries(node)).toBe(2)
})

test("[N14] [Y8] nobody else is kept from writing, nor the missing update from coming", () => {
  const world = new World()
  const node = world.node()
  const doc = new YWriter(1)
  const lost = doc.put("lost", 0)
  const [stuck, honest] = [openStock(node, "notes"), openNative(node, notes, 5)]
  for (let count = 0; count < 3; count++) {
    stuck.update(doc.put("k", "x".repeat(limits.pendingBytesMax / 2)))
    world.advance(limits.commitPaceMs)
  }
  expect(stuck.closed?.reason).toBe("missing-predecessors")
  honest.update(1, 1, new YWriter(9).put("mine", 1))
  world.advance(limits.commitPaceMs)
  expect(honest.acked).toBe(1)
  const healer = openStock(node, "notes")
  healer.step2(lost)
  world.advance(limits.commitPaceMs)
  expect(healer.closed).toBeUndefined()
  const [answer] = openStock(node, "notes").of("step2")
  expect(Object.keys(jsonAfter([must(answer).update])).sort()).toEqual(["k", "lost", "mine"])
})

test("[Y3] step 1 again and again leads to one job at a time", () => {
  const node = new World().node()
  const client = openStock(node, "notes")
  node.jobsHeld = true
  for (let count = 0; count < 1000; count++) client.sendFrame(encodeYStep1(Uint8Array.of(0)))
  node.world.settle()
  expect(node.jobs).toHaveLength(1)
  node.jobsHeld = false
  node.world.settle()
  expect(client.of("step2")).toHaveLength(2)
})

test("[D1] a frame that the driver reuses after the step does not change what is logged", () => {
  const node = new World().node()
  const client = openStock(node, "notes")
  const frame = encodeYUpdate(new YWriter(1).put("k", "kept"))
  node.store.held = true
  node.input({ type: "frame", connection: client.id, frame })
  frame.fill(255)
  node.store.held = false
  node.world.settle()
  expect(jsonAfter([must(openStock(node, "notes").of("step2")[0]).update])).toEqual({ k: "kept" })
})
