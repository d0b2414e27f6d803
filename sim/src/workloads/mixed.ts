/** Text, maps, lists and counters of both engines, a few documents, everybody everywhere. */
import * as Automerge from "@automerge/automerge"
import type * as Y from "yjs"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import { codePointBoundary, phrase, TEXT_LENGTH_MAX } from "./text.ts"
import type { AutomergeContent, Workload } from "./workload.ts"

const LIST_LENGTH_MAX = 60

export const mixed: Workload = {
  name: "mixed",
  explain: "a few shared documents of both engines with text, maps, lists and counters",
  weight: 6,
  documents(random) {
    const names = [
      ...numbered("yjs", "note", random.int(1, 6)),
      ...numbered("automerge", "plan", random.int(1, 3)),
    ]
    return { documents: names, documentsPerClient: random.int(1, 3) }
  },
  editYjs(doc, random, token) {
    const kind = random.int(0, 9)
    if (kind <= 4) return editYText(doc, random, token)
    if (kind <= 7) return editYMap(doc, random, token)
    return editYList(doc, random, token)
  },
  editAutomerge(content, random, token) {
    const kind = random.int(0, 9)
    if (kind <= 3) return editText(content, random, token)
    if (kind <= 5) return editMap(content, random, token)
    if (kind <= 7) return editList(content, random, token)
    if (content.count === undefined) content.count = new Automerge.Counter(0)
    content.count.increment(random.int(1, 9))
  },
}

function editYText(doc: Y.Doc, random: SimRandom, token: string): void {
  const text = doc.getText("text")
  const deletes = text.length > TEXT_LENGTH_MAX || random.chance(0.25)
  if (deletes && text.length > 0) {
    const content = text.toString()
    const from = codePointBoundary(content, random.int(0, content.length - 1))
    const to = codePointBoundary(content, Math.min(content.length, from + random.int(1, 40)))
    if (to > from) text.delete(from, to - from)
    if (to > from && random.chance(0.7)) return
  }
  const at = random.int(0, text.length)
  text.insert(codePointBoundary(text.toString(), at), phrase(random, token))
}

function editYMap(doc: Y.Doc, random: SimRandom, token: string): void {
  const map = doc.getMap<string>("map")
  const key = `key ${random.int(0, 19)}`
  if (random.chance(0.25) && map.has(key)) map.delete(key)
  else map.set(key, token)
}

function editYList(doc: Y.Doc, random: SimRandom, token: string): void {
  const list = doc.getArray<string>("list")
  const deletes = list.length > LIST_LENGTH_MAX || random.chance(0.25)
  if (deletes && list.length > 0) return list.delete(random.int(0, list.length - 1), 1)
  list.insert(random.int(0, list.length), [token])
}

function editText(content: AutomergeContent, random: SimRandom, token: string): void {
  content.text ??= ""
  const { text } = content
  if ((text.length > TEXT_LENGTH_MAX || random.chance(0.25)) && text.length > 0) {
    const from = codePointBoundary(text, random.int(0, text.length - 1))
    const to = codePointBoundary(text, Math.min(text.length, from + random.int(1, 40)))
    return Automerge.splice(content, ["text"], from, to - from)
  }
  const at = codePointBoundary(text, random.int(0, text.length))
  Automerge.splice(content, ["text"], at, 0, phrase(random, token))
}

function editMap(content: AutomergeContent, random: SimRandom, token: string): void {
  content.map ??= {}
  const key = `key ${random.int(0, 19)}`
  if (random.chance(0.25) && key in content.map) delete content.map[key]
  else content.map[key] = token
}

function editList(content: AutomergeContent, random: SimRandom, token: string): void {
  content.list ??= []
  const { list } = content
  const deletes = list.length > LIST_LENGTH_MAX || random.chance(0.25)
  if (deletes && list.length > 0) list.splice(random.int(0, list.length - 1), 1)
  else list.splice(random.int(0, list.length), 0, token)
}
