/** A store's thread that dies under a running node. Rule [D4]. */
import type { Worker } from "node:worker_threads"
import * as Y from "yjs"
import { afterEach, expect, test } from "vitest"
import { storeKinds } from "./store/index.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, startNode } from "./test/nodes.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function updateOf(key: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getMap("map").set(key, 1)
  return Y.encodeStateAsUpdate(doc)
}

test.each(storeKinds)(
  "[D4] a node whose %s thread died starts another, and loses no ack",
  async (type) => {
    const threads: Worker[] = []
    const onWorker = (worker: Worker) => threads.push(worker)
    process.on("worker", onWorker)
    cleanup.add(() => process.off("worker", onWorker))
    const node = await startNode(cleanup, { store: { type, directory: cleanup.folder() } })
    const before = await NativeClient.open(node.url, "yjs", "notes", cleanup)
    await before.acked(before.update(updateOf("before")))
    const { origin } = node.status()
    await threads[0]?.terminate()
    await soon("clients are sent away", before.closed)
    await until("it serves again", async () => {
      const answer = await fetch(`${httpUrl(node)}/v1/documents/yjs/notes`)
      return answer.ok && threads.length > 1
    })
    const after = await NativeClient.open(node.url, "yjs", "notes", cleanup)
    await after.acked(after.update(updateOf("after")))
    const answer = await fetch(`${httpUrl(node)}/v1/documents/yjs/notes`)
    expect(await answer.json()).toEqual({ map: { before: 1, after: 1 } })
    expect(node.status().origin).toBe(origin)
  },
  20_000,
)
