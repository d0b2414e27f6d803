/** Unmodified y-websocket clients against whole nodes, with real sockets and real files. */
import { afterEach, expect, test } from "vitest"
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from "y-protocols/awareness"
import * as Y from "yjs"
import { Cleanup } from "./test/cleanup.ts"
import { metric, startNode } from "./test/nodes.ts"
import { RawClient } from "./test/raw-client.ts"
import { stockClient, synced } from "./test/stock-client.ts"
import type { StockClient } from "./test/stock-client.ts"
import { until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function sameText(...clients: readonly StockClient[]): () => boolean {
  return () => new Set(clients.map(({ doc }) => String(Y.encodeStateVector(doc)))).size === 1
}

function awarenessOf(client: StockClient, other: StockClient): unknown {
  return client.provider.awareness.getStates().get(other.doc.clientID)
}

test("[Y3] two stock clients converge, and a late one gets it all", async () => {
  const directory = cleanup.folder()
  const node = await startNode(cleanup, { store: { type: "sqlite", directory } })
  const one = stockClient(node.url, "room", cleanup)
  one.text.insert(0, "written before it was connected ")
  const other = stockClient(node.url, "room", cleanup)
  await synced(one, other)
  for (let index = 0; index < 50; index++) {
    one.text.insert(0, `a${index} `)
    other.text.insert(other.text.length, `b${index} `)
  }
  await until("both hold the same", sameText(one, other))
  const late = stockClient(node.url, "room", cleanup)
  await until("the late one too", sameText(one, late))
  expect(String(other.text)).toBe(String(one.text))
  expect(String(late.text)).toBe(String(one.text))
  expect(one.text.length).toBeGreaterThan(300)
  expect(stockClient(node.url, "other room", cleanup).text.length).toBe(0)
})

test("[Y5] [Y6] awareness reaches the others, and goes with its client", async () => {
  const node = await startNode(cleanup)
  const one = stockClient(node.url, "room", cleanup)
  const other = stockClient(node.url, "room", cleanup)
  await synced(one, other)
  one.provider.awareness.setLocalStateField("cursor", 7)
  await until("the cursor is seen", () => awarenessOf(other, one) !== undefined)
  expect(awarenessOf(other, one)).toEqual({ cursor: 7 })
  const late = stockClient(node.url, "room", cleanup)
  await until("the late one sees it too", () => awarenessOf(late, one) !== undefined)
  one.provider.ws?.close()
  one.provider.shouldConnect = false
  await until("it is gone", () => awarenessOf(other, one) === undefined)
})

test("[Y6] a client that comes back with an old clock is told so", async () => {
  const node = await startNode(cleanup)
  const doc = new Y.Doc()
  const awareness = new Awareness(doc)
  cleanup.add(() => awareness.destroy())
  for (let clock = 1; clock < 5; clock++) awareness.setLocalState({ clock })
  const before = await new RawClient(`${node.url}/yjs/room`, cleanup).open()
  before.send(awarenessFrame(awareness))
  await until("its echo", () => before.frames.length > 0)
  const lastClock = awareness.meta.get(doc.clientID)?.clock ?? 0
  before.socket.terminate()
  await until("it is gone", () => node.status().sessions === 0)

  const restarted = new Awareness(doc)
  cleanup.add(() => restarted.destroy())
  restarted.setLocalState({ again: true })
  const after = await new RawClient(`${node.url}/yjs/room`, cleanup).open()
  after.send(awarenessFrame(restarted))
  await until("it has renewed its clock past the old one", () => {
    for (const frame of after.frames.splice(0)) {
      if (frame[0] === 1) applyAwarenessUpdate(restarted, frame.subarray(2), "node")
    }
    return (restarted.meta.get(doc.clientID)?.clock ?? 0) > lastClock
  })
  expect(restarted.getLocalState()).toEqual({ again: true })
})

function awarenessFrame(awareness: Awareness): Uint8Array {
  const update = encodeAwarenessUpdate(awareness, [awareness.clientID])
  return Uint8Array.of(1, update.length, ...update)
}

test("[Y4] a client that comes back with what is known already writes nothing", async () => {
  const node = await startNode(cleanup)
  const one = stockClient(node.url, "room", cleanup)
  await synced(one)
  one.text.insert(0, "something")
  one.text.delete(0, 4)
  await until("it is logged", async () => (await metric(node, "causeway_log_entries")) === 2)
  for (let visit = 0; visit < 3; visit++) {
    one.provider.disconnect()
    await until("it left", () => node.status().sessions === 0)
    one.provider.connect()
    await synced(one)
  }
  const other = stockClient(node.url, "room", cleanup)
  other.text.insert(0, "more")
  await until("the next write", async () => (await metric(node, "causeway_log_entries")) === 3)
})

test("[L3] [L7] two nodes: text and awareness cross, also after a restart of one", async () => {
  const first = await startNode(cleanup)
  const second = await startNode(cleanup, { peers: [first.url] })
  const one = stockClient(first.url, "room", cleanup)
  const other = stockClient(second.url, "room", cleanup)
  await synced(one, other)
  await until("they are linked", () => second.status().peers[0]?.state === "linked")
  one.text.insert(0, "from the first")
  other.provider.awareness.setLocalState({ name: "second" })
  await until("the text crosses", () => String(other.text) === "from the first")
  await until("awareness crosses", () => awarenessOf(one, other) !== undefined)
  await second.close()
  one.text.insert(0, "meanwhile ")
  const third = await startNode(cleanup, { peers: [first.url] })
  const late = stockClient(third.url, "room", cleanup)
  await until("the heal", () => String(late.text) === "meanwhile from the first")
  const heals = () => metric(third, "causeway_heals_total")
  await until("the heal is noticed", async () => (await heals()) === 1)
})

test("a reader that stops reading holds up nobody", async () => {
  const node = await startNode(cleanup)
  const writer = stockClient(node.url, "room", cleanup)
  const reader = stockClient(node.url, "room", cleanup)
  const deaf = stockClient(node.url, "room", cleanup)
  await synced(writer, reader, deaf)
  // cast: in Node the provider's socket is ws's, which can pause.
  const socket = deaf.provider.ws as unknown as { pause(): void; resume(): void }
  socket.pause()
  const chunk = "x".repeat(100_000)
  for (let round = 1; round <= 120; round++) {
    writer.text.insert(0, chunk)
    await until("the reader has it", () => reader.text.length === round * chunk.length)
  }
  expect(deaf.text.length).toBeLessThan(reader.text.length)
  socket.resume()
  await until("it catches up", () => deaf.text.length === reader.text.length, 20_000)
  expect(await metric(node, "causeway_sessions")).toBe(3)
})
