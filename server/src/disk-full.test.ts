/** A full disk, for real: a small tmpfs, which only root can mount. */
import { execFileSync } from "node:child_process"
import { rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, expect, test } from "vitest"
import * as Y from "yjs"
import { storeKinds } from "./store/index.ts"
import { Cleanup } from "./test/cleanup.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { RawClient } from "./test/raw-client.ts"
import { stockClient, synced } from "./test/stock-client.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const mount = "mount"
const umount = "umount"

function mountSmallDisk(): string | undefined {
  const path = cleanup.folder()
  try {
    execFileSync(mount, ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path], { stdio: "pipe" })
  } catch {
    return undefined
  }
  cleanup.add(() => execFileSync(umount, [path]))
  return path
}

function fill(directory: string): string {
  const path = join(directory, "ballast")
  for (let blocks = statfsSync(directory).bavail; blocks > 0; blocks = Math.floor(blocks / 2)) {
    try {
      writeFileSync(path, Buffer.alloc(blocks * 4096), { flag: "a" })
    } catch {
      // Full; what is left is tried in smaller pieces.
    }
  }
  return path
}

test.for(storeKinds)(
  "[D4] a full disk: no writes, reads go on, and it recovers by itself: %s",
  async (type, context) => {
    const directory = mountSmallDisk()
    if (directory === undefined) {
      console.warn("SKIPPED: disk-full needs the right to mount a tmpfs (root)")
      return context.skip("cannot mount a tmpfs")
    }
    const node = await startNode(cleanup, { store: { type, directory } })
    const writer = stockClient(node.url, "room", cleanup)
    await synced(writer)
    writer.text.insert(0, "before")
    await until("it is logged", async () => (await metric(node, "causeway_log_entries")) === 1)

    const ballast = fill(directory)
    writer.text.insert(6, ` ${"during ".repeat(30_000)}`)
    await until("writes are refused", () => node.status().store === "failing")
    const ready = await fetch(`${httpUrl(node)}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([
      503,
      "the store is failing: writes are refused, reads go on\n",
    ])

    const refused = await new RawClient(`${node.url}/yjs/another`, cleanup).open()
    const doc = new Y.Doc()
    doc.getText("text").insert(0, "no")
    const update = Y.encodeStateAsUpdate(doc)
    refused.send(0, 2, update.length, update)
    expect(await soon("the close", refused.closed)).toEqual({ code: 4500, reason: "store-failed" })
    const reader = stockClient(node.url, "room", cleanup)
    await until("the document is read", () => String(reader.text) === "before")
    expect((await fetch(`${httpUrl(node)}/v1/documents/yjs/room`)).status).toBe(200)
    expect(await metric(node, 'causeway_store_failures_total{code="store-full"}')).toBeGreaterThan(
      0,
    )

    rmSync(ballast)
    await until("it works again", () => node.status().store === "ok", 15_000)
    await until("what was refused is sent again and shown", () => {
      return reader.text.length > 200_000 && String(reader.text) === String(writer.text)
    })
    expect((await fetch(`${httpUrl(node)}/readyz`)).status).toBe(200)
  },
)

test.for(storeKinds)(
  "[D4] a node whose disk is full stops in time, and keeps what it had: %s",
  async (type, context) => {
    const directory = mountSmallDisk()
    if (directory === undefined) return context.skip("cannot mount a tmpfs")
    const store = { type, directory }
    const node = await startNode(cleanup, { store })
    const writer = stockClient(node.url, "room", cleanup)
    await synced(writer)
    writer.text.insert(0, "before")
    await until("it is logged", async () => (await metric(node, "causeway_log_entries")) === 1)
    const ballast = fill(directory)
    writer.text.insert(6, ` ${"during ".repeat(30_000)}`)
    await until("writes are refused", () => node.status().store === "failing")
    const start = performance.now()
    await node.close()
    expect(performance.now() - start).toBeLessThan(5000)
    writer.provider.disconnect()
    rmSync(ballast)
    const again = await startNode(cleanup, { store })
    const reader = stockClient(again.url, "room", cleanup)
    await until("what was saved is there", () => String(reader.text) === "before")
  },
)
