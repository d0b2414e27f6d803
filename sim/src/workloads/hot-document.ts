/** Everybody in one document at once: a meeting's notes. */
import { numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const VIDEO_MS = 5000

export const hotDocument: Workload = {
  ...mixed,
  name: "hot-document",
  explain: "everybody is in one document and writes, cursors moving all the time",
  weight: 2,
  documents(random) {
    // Stock clients can be there only if it is one of Yjs.
    const engine = random.chance(0.8) ? "yjs" : "automerge"
    return { documents: numbered(engine, "meeting", 1), documentsPerClient: 1 }
  },
  load: { presencePerSecond: 10 },
  run({ world, every }, random) {
    // Somebody drops a video in.
    every(VIDEO_MS, () => random.pick(world.writers).writeTooMuch(random))
  },
}
