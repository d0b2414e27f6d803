/**
 * A week offline: many updates over many documents, typed in bursts as people type; then the app
 * starts again, connects, and opens no document. How fast its outbox is drained, and what memory
 * that takes.
 */
import { setTimeout as delay } from "node:timers/promises"
import type { Measurement } from "../measure/rounds.ts"
import { nowhere, breathe, startClient, startNode, threadCpuMs } from "./app.ts"
import type { ClientScale } from "./scale.ts"

/** Updates in one document before the next is typed in. */
const burst = 25
const pollMs = 5
const drainMsMax = 300_000

export const week: Measurement<ClientScale> = {
  name: "week",
  title: `a week offline: updates in bursts of ${burst}, then a start, online`,
  columns: [
    { key: "updates", heading: "updates" },
    { key: "documents", heading: "documents" },
    { key: "loadMs", heading: "loaded after ms" },
    { key: "perSecond", heading: "drained/s (goal 20,000)" },
    { key: "threadMicros", heading: "main thread µs/update" },
    { key: "loadedMb", heading: "RSS loaded MB" },
    { key: "peakMb", heading: "RSS peak MB" },
  ],
  run: async ({ folder, scale }) => {
    const { offlineUpdates, offlineDocuments } = scale
    await typeOffline(folder, scale)
    const nodes = await startNode(folder)
    const cpuMs = threadCpuMs()
    const startMs = performance.now()
    const client = startClient(folder, nodes.nativeUrlOf(0))
    try {
      await client.documents()
      const loadMs = performance.now() - startMs
      const loaded = client.pending.count
      const loadedMb = residentMb()
      let peakMb = loadedMb
      while (client.pending.count > 0 && performance.now() - startMs < drainMsMax) {
        await delay(pollMs)
        peakMb = Math.max(peakMb, residentMb())
      }
      const drainedMs = performance.now() - startMs - loadMs
      const values = {
        updates: loaded,
        documents: offlineDocuments,
        loadMs,
        perSecond: (loaded * 1000) / drainedMs,
        threadMicros: ((threadCpuMs() - cpuMs) * 1000) / loaded,
        loadedMb,
        peakMb,
      }
      const failures: string[] = []
      if (loaded !== offlineUpdates) failures.push(`${loaded} of ${offlineUpdates} were stored`)
      const logged = await nodes.entriesOf(0)
      if (logged !== offlineUpdates) failures.push(`${logged} of ${offlineUpdates} are logged`)
      return { values, failures }
    } finally {
      await client.close()
      await nodes.close()
    }
  },
}

async function typeOffline(folder: string, scale: ClientScale): Promise<void> {
  const { offlineUpdates, offlineDocuments } = scale
  const client = startClient(folder, nowhere)
  const notes = Array.from({ length: offlineDocuments }, (_, index) => client.yjs(`note-${index}`))
  await Promise.all(notes.map((note) => note.loaded))
  for (let index = 0; index < offlineUpdates; index += 1) {
    notes[Math.floor(index / burst) % offlineDocuments]?.ydoc.getText("text").insert(0, "x")
    if (index % burst === 0) await breathe()
  }
  await client.close()
}

function residentMb(): number {
  return process.memoryUsage.rss() / 1e6
}
