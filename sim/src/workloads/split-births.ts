/**
 * New documents all the time, the same names from several clients at once: on both sides of a
 * split somebody makes "today". Others open them later.
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { SimWriter } from "../writer.ts"
import { documentNamed, numbered } from "./documents.ts"
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

const BIRTH_MS = 700
const LOOK_MS = 1200
/** A name is in use for about as long. */
const NAME_MS = 3000
const OPEN_MAX = 5

export const splitBirths: Workload = {
  ...mixed,
  name: "split-births",
  explain: "clients create documents all the time, the same names on several sides at once",
  weight: 2,
  documents() {
    return { documents: numbered("yjs", "first", 1), documentsPerClient: 1 }
  },
  run({ world, every, write }, random) {
    every(BIRTH_MS, () => {
      const count = Math.floor(world.scheduler.nowMs / NAME_MS)
      const engine = count % 4 === 0 ? "automerge" : "yjs"
      const document = documentNamed(engine, `day ${count}`)
      for (const writer of random.shuffled(world.writers).slice(0, random.int(1, 3))) {
        goTo(writer, document)
        write(writer, document)
      }
    })
    every(LOOK_MS, () => {
      const writer = random.pick(world.writers)
      goTo(writer, random.pick(world.documents))
    })
  },
}

function goTo(writer: SimWriter, document: DocumentId): void {
  if (!writer.running) return
  const { replicas } = writer
  const [oldest] = replicas
  if (replicas.length >= OPEN_MAX && oldest !== undefined) writer.close(oldest.document)
  writer.open(document)
}
