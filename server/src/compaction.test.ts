/** A running node folds and truncates what it stores, and shows the same before and after. */
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { storeKinds } from "./store/index.ts"
import { serveChild } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { freePort } from "./test/free-port.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { until } from "./test/wait.ts"
import type { RunningNode } from "./node.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

async function textOf(node: RunningNode): Promise<string> {
  const client = await NativeClient.open(node.url, "yjs", "room", cleanup)
  const doc = new Y.Doc()
  await until("all of it", () => {
    return client.messages().some((message) => message.type === "updates" && message.complete)
  })
  for (const message of client.messages()) {
    if (message.type === "updates") for (const update of message.updates) Y.applyUpdate(doc, update)
  }
  return String(doc.getText("text"))
}

test.for(storeKinds)("[K9] [K10] long tails are folded, floors follow: %s", async (type) => {
  const store = { type, directory: cleanup.folder() }
  const node = await startNode(cleanup, { store })
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  for (let index = 0; index < 400; index++) doc.getText("text").insert(index, String(index % 10))
  const writer = await NativeClient.open(node.url, "yjs", "room", cleanup)
  let last = 0
  for (const update of updates) last = writer.update(update)
  await writer.acked(last)
  await until("a floor moves", async () => {
    return ((await metric(node, "causeway_log_floors_moved_total")) ?? 0) > 0
  })
  expect(await metric(node, "causeway_documents_folded_total")).toBeGreaterThan(0)
  const text = String(doc.getText("text"))
  expect(await textOf(node)).toBe(text)
  await node.close()
  const again = await startNode(cleanup, { store })
  expect(await textOf(again)).toBe(text)
})

test("[K11] past the cap that serve is given short tails are folded too", async () => {
  const child = serveChild(cleanup, "--data", cleanup.folder(), "--log-bytes-max", "1MiB")
  const url = await child.ready()
  // Each too short to be folded for itself.
  const documents = Array.from({ length: 20 }, (_, index) => `room-${index}`)
  for (const name of documents) {
    const doc = new Y.Doc()
    doc.getText("text").insert(0, "x".repeat(60_000))
    const writer = await NativeClient.open(url, "yjs", name, cleanup)
    await writer.acked(writer.update(Y.encodeStateAsUpdate(doc)))
  }
  const moved = async (): Promise<number> => {
    return (await metric({ url }, "causeway_log_floors_moved_total")) ?? 0
  }
  await until("a floor moves", async () => (await moved()) > 0)
  const read = await fetch(`${httpUrl({ url })}/v1/documents/yjs/room-0`)
  expect(await read.text()).toContain("x".repeat(60_000))
})

test("[K11] floors wait for a peer that was never seen no longer than the age given", async () => {
  const peers = [`ws://127.0.0.1:${await freePort()}`]
  const node = await startNode(cleanup, { peers, logAgeMsMax: 1000 })
  const waiting = await startNode(cleanup, { peers })
  for (const { url } of [waiting, node]) {
    const writer = await NativeClient.open(url, "yjs", "room", cleanup)
    const doc = new Y.Doc()
    doc.getText("text").insert(0, "x".repeat(70_000))
    await writer.acked(writer.update(Y.encodeStateAsUpdate(doc)))
  }
  await until("a floor moves", async () => {
    return ((await metric(node, "causeway_log_floors_moved_total")) ?? 0) > 0
  })
  await until("the other one has folded it as well", async () => {
    return (await metric(waiting, "causeway_documents_folded_total")) === 1
  })
  expect((await metric(waiting, "causeway_log_floors_moved_total")) ?? 0).toBe(0)
})
