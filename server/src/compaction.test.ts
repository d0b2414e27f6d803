/** A running node folds and truncates what it stores, and shows the same before and after. */
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { storeKinds } from "./store/index.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { metric, startNode } from "./test/nodes.ts"
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
