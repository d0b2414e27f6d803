/** Cursors that move all the time, in documents that hardly change. */
import { numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const COME_MS = 1500

export const presence: Workload = {
  ...mixed,
  name: "presence",
  explain: "many cursors that move all the time, clients that come and go, few writes",
  weight: 1,
  documents(random) {
    const documents = numbered("yjs", "canvas", random.int(1, 3))
    return { documents, documentsPerClient: random.int(1, documents.length) }
  },
  load: { presencePerSecond: 40, writesFactor: 0.15, bigShare: 0 },
  run({ world, every }, random) {
    every(COME_MS, () => {
      const writer = random.pick(world.writers)
      if (!writer.running) return
      const document = random.pick(world.documents)
      if (writer.replicas.length > 1) writer.close(document)
      else writer.open(document)
    })
  },
}
