/**
 * Many edits a second in one process, as a bot or an importer makes them: whether they keep pace,
 * what is left to store and to send when the last is made, and what the main thread has spent.
 */
import type { Measurement } from "../measure/rounds.ts"
import { pace } from "../load/pace.ts"
import { residentPeakMbOf } from "../measure/process-usage.ts"
import { startClient, startNode, threadCpuMs } from "./app.ts"
import type { ClientScale } from "./scale.ts"

const documents = 10
/** Late by more than that, edits did not keep pace. */
const lateMsMax = 500

export const sustained: Measurement<ClientScale> = {
  name: "sustained",
  title: `edits in ${documents} documents at a steady pace, each an update of its own, connected`,
  columns: [
    { key: "perSecond", heading: "edits/s (goal 10,000)" },
    { key: "threadPercent", heading: "main thread %" },
    { key: "storedMs", heading: "all stored after ms" },
    { key: "ackedMs", heading: "all acked after ms" },
    { key: "residentMb", heading: "RSS peak MB" },
  ],
  run: async ({ folder, scale }) => {
    const count = scale.editsPerSecond * scale.editSeconds
    const nodes = await startNode(folder)
    const client = startClient(folder, nodes.nativeUrlOf(0))
    try {
      const notes = Array.from({ length: documents }, (_, index) => client.yjs(`note-${index}`))
      await Promise.all(notes.map((note) => note.saved("node")))
      const texts = notes.map(({ ydoc }) => ydoc.getText("text"))
      const cpuMs = threadCpuMs()
      const startMs = performance.now()
      await pace({ startMs, count, perSecond: scale.editsPerSecond }, (index) => {
        const text = texts[index % documents]
        text?.insert(text.length, "x")
      })
      const typedMs = performance.now()
      const threadMs = threadCpuMs() - cpuMs
      await Promise.all(notes.map((note) => note.saved("local")))
      const storedMs = performance.now() - typedMs
      await Promise.all(notes.map((note) => note.saved("node")))
      const ackedMs = performance.now() - typedMs
      const tookMs = typedMs - startMs
      const values = {
        perSecond: (count * 1000) / tookMs,
        threadPercent: (threadMs / tookMs) * 100,
        storedMs,
        ackedMs,
        residentMb: residentPeakMbOf(process.pid),
      }
      const lateMs = tookMs - scale.editSeconds * 1000
      const late = `the last edit was ${Math.round(lateMs)} ms late`
      return { values, failures: lateMs > lateMsMax ? [late] : [] }
    } finally {
      await client.close()
      await nodes.close()
    }
  },
}
