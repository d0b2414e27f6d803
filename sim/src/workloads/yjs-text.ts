/** People typing at once into one or few plain Yjs texts. */
import { numbered } from "./documents.ts"
import { type } from "./typing.ts"
import type { Workload } from "./workload.ts"

export const yjsText: Workload = {
  name: "yjs-text",
  explain: "several people type in one or few Yjs texts: runs of words, slips, cuts, emoji",
  weight: 4,
  documents(random) {
    const count = random.int(1, 3)
    return { documents: numbered("yjs", "text", count), documentsPerClient: random.int(1, count) }
  },
  editYjs(doc, random, token, memory) {
    const text = doc.getText("text")
    const typed = {
      content: text.toString(),
      remove: (at: number, count: number) => text.delete(at, count),
      insert: (at: number, words: string) => text.insert(at, words),
    }
    type(typed, random, token, memory)
  },
}
