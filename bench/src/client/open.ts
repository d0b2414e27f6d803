/**
 * Opening a stored document that every keystroke of a paper went into, beside what Yjs needs to
 * apply the same bytes to an empty document: in turns, in one process. The client is offline.
 */
import { join } from "node:path"
import * as Y from "yjs"
import { documentIdOf } from "@causeway/crdt/base"
import { randomClientId } from "@causeway/crdt/client"
import { levelStorage } from "@causeway/client/level"
import type { Measurement } from "../measure/rounds.ts"
import { percentile } from "../measure/statistics.ts"
import { breathe, nowhere, startClient, startNode } from "./app.ts"
import { loadPaper } from "./paper.ts"
import type { ClientScale } from "./scale.ts"

const name = "paper"
/** Typed between two breaths, so that what is typed is stored and sent meanwhile. */
const editsAtOnce = 100

export const open: Measurement<ClientScale> = {
  name: "open",
  title: "opening a stored document, beside Yjs alone applying the same bytes",
  columns: [
    { key: "edits", heading: "edits" },
    { key: "storedKb", heading: "stored kB" },
    { key: "clientMs", heading: "client opens ms" },
    { key: "yjsMs", heading: "Yjs ms" },
    { key: "openMs", heading: "document opens ms" },
    { key: "ratio", heading: "document ÷ Yjs (goal 1.3)" },
  ],
  run: async ({ folder, scale }) => {
    const { edits, text } = await type(folder, scale.traceEdits)
    const updates = await storedUpdates(folder)
    const failures: string[] = []
    const clients: number[] = []
    const opens: number[] = []
    const yjs: number[] = []
    for (let turn = 0; turn < scale.opens; turn += 1) {
      yjs.push(applyAlone(updates))
      const startMs = performance.now()
      const client = startClient(folder, nowhere)
      await client.documents()
      const clientMs = performance.now()
      const note = client.yjs(name)
      await note.loaded
      clients.push(clientMs - startMs)
      opens.push(performance.now() - clientMs)
      if (note.ydoc.getText("text").toString() !== text)
        failures.push("it opened with another text")
      await client.close()
    }
    const openMs = percentile(opens, 50)
    const yjsMs = percentile(yjs, 50)
    const storedKb = updates.reduce((sum, { length }) => sum + length, 0) / 1000
    const clientMs = percentile(clients, 50)
    return { values: { edits, storedKb, clientMs, yjsMs, openMs, ratio: openMs / yjsMs }, failures }
  },
}

/** Types the paper, one update for each edit, until a node has it all. */
async function type(folder: string, editsMax: number): Promise<{ edits: number; text: string }> {
  const nodes = await startNode(folder)
  const client = startClient(folder, nodes.nativeUrlOf(0))
  try {
    const note = client.yjs(name)
    await note.saved("node")
    const text = note.ydoc.getText("text")
    const edits = loadPaper().slice(0, editsMax)
    for (const [index, { position, deleted, inserted }] of edits.entries()) {
      note.ydoc.transact(() => {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== "") text.insert(position, inserted)
      })
      if (index % editsAtOnce === 0) await breathe()
    }
    await note.saved("node")
    return { edits: edits.length, text: text.toString() }
  } finally {
    await client.close()
    await nodes.close()
  }
}

/** What storage has of the document. */
async function storedUpdates(folder: string): Promise<readonly Uint8Array[]> {
  const document = documentIdOf("yjs", name)
  if (document === undefined) throw new Error(`${name} names no document`)
  const storage = levelStorage(join(folder, "app"))
  const fresh = randomClientId({ next: Math.random })
  await new Promise((resolve) => storage.load(fresh, resolve))
  const updates = await new Promise<readonly Uint8Array[]>((resolve, reject) => {
    storage.read(document, (result) => {
      if (result.ok && result.stored !== undefined) resolve(result.stored.updates)
      else reject(new Error(`storage has no ${name}`))
    })
  })
  await new Promise<void>((resolve) => storage.close(resolve))
  return updates
}

function applyAlone(updates: readonly Uint8Array[]): number {
  const document = new Y.Doc()
  const startMs = performance.now()
  document.transact(() => {
    for (const update of updates) Y.applyUpdate(document, update)
  })
  return performance.now() - startMs
}
