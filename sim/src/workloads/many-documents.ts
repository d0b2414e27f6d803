/** Hundreds of small documents; each client has a few open and keeps going on to others. */
import { numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const SWITCH_MS = 300
const OPEN_MAX = 5

export const manyDocuments: Workload = {
  ...mixed,
  name: "many-documents",
  explain: "hundreds of small documents; each client opens a few and keeps switching",
  weight: 1,
  documents(random) {
    const documents = [
      ...numbered("yjs", "page", random.int(120, 300)),
      ...numbered("automerge", "sheet", random.int(20, 60)),
    ]
    return { documents, documentsPerClient: random.int(1, OPEN_MAX) }
  },
  run({ world, every, write }, random) {
    every(SWITCH_MS, () => {
      const writer = random.pick(world.writers)
      if (!writer.running) return
      const { replicas } = writer
      if (replicas.length >= OPEN_MAX || random.chance(0.5)) {
        const [oldest] = replicas
        if (oldest !== undefined) writer.close(oldest.document)
      }
      // Some documents are far better known than others.
      const at = Math.floor(random.next() ** 3 * world.documents.length)
      const document = world.documents[at]
      if (document === undefined) return
      writer.open(document)
      if (random.chance(0.3)) write(writer, document)
    })
  },
}
