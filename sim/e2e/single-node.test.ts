/** The README's first promise: one node, a stock client, SIGKILL while typing, nothing lost. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { NodeProcess } from "../demo/node-process.ts"
import { textOf } from "../demo/status.ts"
import { StockClient } from "../demo/stock-client.ts"
import { until } from "../demo/wait.ts"

const room = "novel"

test("[D1] [Y3] killed while a stock client types, a node has lost nothing it showed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "causeway-single-"))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const node = new NodeProcess({ name: "one", directory, peers: [] })
  onTestFinished(() => node.stop())
  await node.start()
  const typist = clientOf(node)
  const reader = clientOf(node)
  await Promise.all([typist.synced(), reader.synced()])
  const typing = setInterval(
    () => typist.text.insert(typist.text.length, "all work and no play "),
    2,
  )
  onTestFinished(() => clearInterval(typing))
  await until("the reader sees a page", () => reader.text.length > 3000)

  await node.kill()
  await until("the reader has noticed", () => !reader.provider.wsconnected)
  reader.provider.disconnect()
  const shown = reader.text.toString()

  // On another port first, where no client finds it: only its disk can tell what was shown.
  const alone = new NodeProcess({ name: "one", directory, peers: [] })
  onTestFinished(() => alone.stop())
  await alone.start()
  expect((await textOf(alone, room)).startsWith(shown)).toBe(true)
  await alone.stop()

  await node.start()
  await typist.synced()
  clearInterval(typing)
  const typed = typist.text.toString()
  expect(typed.length).toBeGreaterThan(shown.length)
  reader.provider.connect()
  await until("the reader shows all that was typed", () => reader.text.toString() === typed)
  await until("the node has all", async () => (await textOf(node, room)) === typed)
})

function clientOf(node: NodeProcess): StockClient {
  const client = new StockClient(node.url, room)
  onTestFinished(() => client.destroy())
  return client
}
