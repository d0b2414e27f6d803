/**
 * What a keystroke costs the app's main thread until it is in local storage, connected: the call
 * that types it, and the CPU of everything that this thread does until `saved("local")`. The same
 * keystroke in a bare Y.Doc stands beside it.
 */
import { setTimeout as delay } from "node:timers/promises"
import * as Y from "yjs"
import type { Measurement } from "../measure/rounds.ts"
import { percentile } from "../measure/statistics.ts"
import { startClient, startNode, threadCpuMs } from "./app.ts"
import type { ClientScale } from "./scale.ts"

/** Time between two; a fast typist takes 80. */
const restMs = 4
/** Not counted: code is compiled. */
const warmUps = 500

export const keystroke: Measurement<ClientScale> = {
  name: "keystroke",
  title: "one keystroke to local storage (LevelDB, fsync), connected",
  columns: [
    { key: "yjsMs", heading: "Yjs alone p50 ms" },
    { key: "callMs", heading: "the call p50 ms" },
    { key: "callP99Ms", heading: "the call p99 ms" },
    { key: "threadMs", heading: "main thread p50 ms" },
    { key: "threadP99Ms", heading: "main thread p99 ms (goal 1)" },
    { key: "storedMs", heading: "stored after p50 ms" },
    { key: "storedP99Ms", heading: "stored after p99 ms" },
  ],
  run: async ({ folder, scale }) => {
    const nodes = await startNode(folder)
    const client = startClient(folder, nodes.nativeUrlOf(0))
    try {
      const note = client.yjs("note")
      await note.saved("node")
      const bare = new Y.Doc().getText("text")
      const text = note.ydoc.getText("text")
      const yjs: number[] = []
      const call: number[] = []
      const thread: number[] = []
      const stored: number[] = []
      for (let index = 0; index < warmUps + scale.keystrokes; index += 1) {
        await delay(restMs)
        const yjsMs = timed(() => bare.insert(bare.length, "x"))
        const cpuMs = threadCpuMs()
        const startMs = performance.now()
        const callMs = timed(() => text.insert(text.length, "x"))
        await note.saved("local")
        if (index < warmUps) continue
        yjs.push(yjsMs)
        call.push(callMs)
        stored.push(performance.now() - startMs)
        thread.push(threadCpuMs() - cpuMs)
      }
      const values = {
        yjsMs: percentile(yjs, 50),
        callMs: percentile(call, 50),
        callP99Ms: percentile(call, 99),
        threadMs: percentile(thread, 50),
        threadP99Ms: percentile(thread, 99),
        storedMs: percentile(stored, 50),
        storedP99Ms: percentile(stored, 99),
      }
      return { values, failures: [] }
    } finally {
      await client.close()
      await nodes.close()
    }
  },
}

function timed(work: () => void): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
