/**
 * A client goes on with a node that lacks what it holds: the node is sent all of it, though the
 * client resumes by a vector and has nothing pending.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { expect, test, vi } from "vitest"
import type { Client } from "./index.ts"
import { startNodeProcess } from "./test/node-process.ts"
import { connect, startNode, temporaryFolder, textOf, type, until } from "./test/world.ts"
import { untilText } from "./test/world.ts"

type Plan = { title?: string; done?: number }

const seconds = { timeout: 10_000, interval: 20 }

/** What a node answers for a document, as text. */
async function jsonAt(sync: string, path: string): Promise<string> {
  const url = new URL(`/v1/documents/${path}`, sync.replace("ws:", "http:"))
  const response = await fetch(url)
  return response.text()
}

async function connectedTo(client: Client, sync: string): Promise<void> {
  await until(client.connection, (now) => now.state === "connected" && now.url === sync)
}

test("[C2] [N4] a node that never heard of them gets the documents of a lost one", async () => {
  const first = await startNode()
  const second = await startNode()
  const client = connect(first.sync, { urls: [first.sync, second.sync] })
  const note = client.yjs("notes")
  const plan = client.automerge<Plan>("plan")
  for (const word of ["one ", "two ", "three "]) {
    type(note, word)
    await note.saved("node")
  }
  await plan.change((doc) => {
    doc.title = "kept"
  })
  await plan.saved("node")
  await until(note.status, ({ freshness }) => freshness.state === "live")
  await until(plan.status, ({ freshness }) => freshness.state === "live")
  await first.node.close()
  await connectedTo(client, second.sync)
  await vi.waitFor(async () => {
    expect(await jsonAt(second.sync, "yjs/notes")).toContain("one two three ")
    expect(await jsonAt(second.sync, "automerge/plan")).toContain("kept")
  }, seconds)
  type(note, "four")
  await note.saved("node")
  await untilText(connect(second.sync).yjs("notes"), "one two three four")
})

test("[C2] [N4] what was typed on both sides of a cut comes together in the client", async () => {
  const first = await startNode()
  const second = await startNode()
  const ben = connect(second.sync).yjs("notes")
  type(ben, "ben")
  await ben.saved("node")
  const client = connect(first.sync, { urls: [first.sync, second.sync] })
  const note = client.yjs("notes")
  type(note, "ann")
  await note.saved("node")
  await until(note.status, ({ freshness }) => freshness.state === "live")
  await first.node.close()
  type(note, "!")
  await note.saved("node")
  await vi.waitFor(() => {
    expect(textOf(ben)).toContain("ann!")
    expect(textOf(note)).toBe(textOf(ben))
  }, seconds)
})

test("[C2] [N4] a node whose disk was lost gets everything back from its client", async () => {
  const folder = await temporaryFolder()
  const lost = await startNodeProcess(join(folder, "lost"))
  const sync = `${lost.url}/sync`
  const client = connect(sync)
  const note = client.yjs("notes")
  type(note, "everything ")
  await note.saved("node")
  await until(note.status, ({ freshness }) => freshness.state === "live")
  await lost.kill()
  await rm(join(folder, "lost"), { recursive: true })
  await startNodeProcess(join(folder, "new"), Number(new URL(lost.url).port))
  client.goOnline()
  await connectedTo(client, sync)
  await vi.waitFor(async () => {
    expect(await jsonAt(sync, "yjs/notes")).toContain("everything ")
  }, seconds)
  type(note, "more")
  await note.saved("node")
  await untilText(connect(sync).yjs("notes"), "everything more")
})
