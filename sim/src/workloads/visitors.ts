/** Readers that come and go: they open a page, read, leave and never write; few others do. */
import { numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const VISIT_MS = 250
const AWAY_MS = 1500

export const visitors: Workload = {
  ...mixed,
  name: "visitors",
  explain: "readers come, open, read and leave without writing; few clients write",
  weight: 2,
  documents(random) {
    const documents = [
      ...numbered("yjs", "article", random.int(2, 6)),
      ...numbered("automerge", "table", random.int(0, 2)),
    ]
    return { documents, documentsPerClient: 1 }
  },
  load: { writersShare: 0.3 },
  run({ world, readers, every }, random) {
    every(VISIT_MS, () => {
      const [reader] = random.shuffled(readers)
      if (reader?.running !== true) return
      const next = random.pick(world.documents)
      for (const { document } of reader.replicas) {
        if (document !== next) reader.close(document)
      }
      // One goes on by a link, another closes the tab and is back later.
      if (random.chance(0.5)) return reader.open(next)
      reader.leave()
      reader.open(next)
      world.scheduler.after(random.exponential(AWAY_MS), () => {
        // One that is still leaving comes back when it has left.
        if (reader.kind === "native" || !reader.running) reader.start()
      })
    })
  },
}
