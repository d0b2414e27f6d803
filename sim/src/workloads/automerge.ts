/** Automerge documents with all it has: text with marks, nested maps, lists. */
import * as Automerge from "@automerge/automerge"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import { randomRange, shortToken } from "./text.ts"
import { type } from "./typing.ts"
import type { AutomergeContent, Memory, Workload } from "./workload.ts"

const CARDS_MAX = 20
const LIST_LENGTH_MAX = 40

export const automerge: Workload = {
  name: "automerge",
  explain: "people share Automerge documents: text with marks, nested maps, lists",
  weight: 2,
  documents(random) {
    const count = random.int(1, 3)
    const documents = numbered("automerge", "plan", count)
    return { documents, documentsPerClient: random.int(1, count) }
  },
  editAutomerge(content, random, token, memory) {
    const kind = random.int(0, 9)
    if (kind <= 3) return editText(content, random, token, memory)
    if (kind === 4) return mark(content, random, token)
    if (kind <= 7) return editCards(content, random, token)
    editList(content, random, token)
  },
}

function editText(
  content: AutomergeContent,
  random: SimRandom,
  token: string,
  memory: Memory,
): void {
  content.text ??= ""
  const typed = {
    content: content.text,
    remove: (at: number, count: number) => Automerge.splice(content, ["text"], at, count),
    insert: (at: number, words: string) => Automerge.splice(content, ["text"], at, 0, words),
  }
  type(typed, random, token, memory)
}

function mark(content: AutomergeContent, random: SimRandom, token: string): void {
  const { from, to } = randomRange(content.text ?? "", random, 40)
  if (to <= from) return
  const range = { start: from, end: to, expand: random.pick(["both", "none"] as const) }
  if (random.chance(0.3)) return Automerge.unmark(content, ["text"], range, "bold")
  if (random.chance(0.5)) return Automerge.mark(content, ["text"], range, "bold", true)
  Automerge.mark(content, ["text"], range, "link", shortToken(token))
}

function editCards(content: AutomergeContent, random: SimRandom, token: string): void {
  content.cards ??= {}
  const key = `card ${random.int(1, CARDS_MAX)}`
  const card = content.cards[key]
  if (card === undefined) content.cards[key] = { title: token, done: false, tags: [] }
  else if (random.chance(0.15)) delete content.cards[key]
  else if (random.chance(0.6)) card.tags.push(token)
  else if (random.chance(0.5)) card.title = token
  else card.done = !card.done
}

function editList(content: AutomergeContent, random: SimRandom, token: string): void {
  content.list ??= []
  const { list } = content
  const deletes = list.length > LIST_LENGTH_MAX || random.chance(0.25)
  if (deletes && list.length > 0) list.splice(random.int(0, list.length - 1), 1)
  else list.splice(random.int(0, list.length), 0, token)
}
