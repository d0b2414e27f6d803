/**
 * Clients that have dozens of documents open at a time, edit few of them, and lose their
 * connections: who comes back has nearly all of it already. Rules [N20] [N21].
 */
import { numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const RECONNECT_MS = 1200

export const openTabs: Workload = {
  ...mixed,
  name: "open-tabs",
  explain: "clients with dozens of documents open, few of them edited, that come back often",
  weight: 2,
  documents(random) {
    const documents = [
      ...numbered("yjs", "tab", random.int(10, 50)),
      ...numbered("automerge", "board", random.int(1, 8)),
    ]
    return { documents, documentsPerClient: random.int(5, 20) }
  },
  load: { writesFactor: 0.3, presencePerSecond: 0.5 },
  run({ world, every }, random) {
    every(RECONNECT_MS, () => {
      const writer = random.pick(world.writers)
      if (writer.running) writer.disconnect()
    })
  },
}
