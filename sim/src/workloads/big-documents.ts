/** Documents of 100 kB to megabytes: a page is pasted, chapters go, and people type in between. */
import * as Automerge from "@automerge/automerge"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import { codePointBoundary, phrase, randomRange } from "./text.ts"
import type { Workload } from "./workload.ts"

const START_LENGTH = 100_000
const PASTE_LENGTH_MAX = 300_000
const TOO_MUCH_MS = 8000
const SWITCH_MS = 3000
/** Automerge takes milliseconds per kB of text. */
const AUTOMERGE_PASTE_LENGTH_MAX = 12_000

export const bigDocuments: Workload = {
  name: "big-documents",
  explain: "few documents of 100 kB to megabytes, with big pastes and big cuts",
  weight: 0.3,
  documents(random) {
    const count = random.int(1, 2)
    const documents = [
      ...numbered("yjs", "book", count),
      ...numbered("automerge", "report", random.int(0, 1)),
    ]
    return { documents, documentsPerClient: 1 }
  },
  editYjs(doc, random, token) {
    const text = doc.getText("text")
    // A book's text is only looked at where it has to be: it is long.
    if (text.length < START_LENGTH || random.chance(0.01)) {
      return text.insert(0, pasted(random, token, PASTE_LENGTH_MAX))
    }
    const content = text.toString()
    if (random.chance(0.02) && content.length > 2 * START_LENGTH) {
      const { from, to } = randomRange(content, random, START_LENGTH)
      return text.delete(from, to - from)
    }
    const at = codePointBoundary(content, random.int(0, content.length))
    text.insert(at, phrase(random, token))
  },
  editAutomerge(content, random, token) {
    content.text ??= ""
    const { text } = content
    const pastes = text.length < AUTOMERGE_PASTE_LENGTH_MAX || random.chance(0.01)
    const words = pastes ? pasted(random, token, AUTOMERGE_PASTE_LENGTH_MAX) : phrase(random, token)
    const at = codePointBoundary(text, random.int(0, text.length))
    Automerge.splice(content, ["text"], at, 0, words)
  },
  load: { bigShare: 0, burst: 2 },
  run({ world, every }, random) {
    every(TOO_MUCH_MS, () => random.pick(world.writers).writeTooMuch(random))
    // The book is closed while what was pasted is still being sent.
    every(SWITCH_MS, () => {
      const writer = random.pick(world.writers)
      const [open] = writer.replicas
      if (!writer.running || open === undefined) return
      writer.close(open.document)
      writer.open(random.pick(world.documents))
    })
  },
}

function pasted(random: SimRandom, token: string, lengthMax: number): string {
  const length = Math.round(random.logBetween(lengthMax / 30, lengthMax))
  const line = `${phrase(random, token)}and so on, as books do.\n`
  return line.repeat(Math.ceil(length / line.length))
}
