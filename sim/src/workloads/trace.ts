/**
 * Replay of a real recording: the keystrokes of somebody who wrote a paper (traces/README.md). The
 * first writer of a document types it from its beginning, whoever comes later from anywhere in it;
 * where the text is not what it was for the recorded one, the cursor goes as far as there is text.
 */
import * as Automerge from "@automerge/automerge"
import type { SimRandom } from "../random.ts"
import { numbered } from "./documents.ts"
import paper from "./traces/paper.json" with { type: "json" }
import type { Typed } from "./typing.ts"
import type { Memory, Workload } from "./workload.ts"

const BACKSPACE = "\b"
const DELETE = "\x7f"
const KEYS_PER_EDIT_MAX = 8

const jumps = new Map<number, number>()
for (let index = 0; index < paper.jumps.length; index += 2) {
  jumps.set(paper.jumps[index] ?? 0, paper.jumps[index + 1] ?? 0)
}

export const trace: Workload = {
  name: "trace",
  explain: "clients retype a real recording of somebody who wrote a paper, key by key",
  weight: 2,
  documents(random) {
    const documents = [
      ...numbered("yjs", "paper", random.int(1, 2)),
      ...numbered("automerge", "draft", random.int(0, 1)),
    ]
    return { documents, documentsPerClient: 1 }
  },
  editYjs(doc, random, _token, memory) {
    const text = doc.getText("text")
    const typed = {
      content: text.toString(),
      remove: (at: number, count: number) => text.delete(at, count),
      insert: (at: number, key: string) => text.insert(at, key),
    }
    replay(typed, random, memory)
  },
  editAutomerge(content, random, _token, memory) {
    content.text ??= ""
    const typed = {
      content: content.text,
      remove: (at: number, count: number) => Automerge.splice(content, ["text"], at, count),
      insert: (at: number, key: string) => Automerge.splice(content, ["text"], at, 0, key),
    }
    replay(typed, random, memory)
  },
}

/** Presses the next few keys. At the end of the recording the text goes, and it starts again. */
function replay(text: Typed, random: SimRandom, memory: Memory): void {
  let { length } = text.content
  const start = length === 0 ? 0 : random.int(0, paper.keys.length - 1)
  let next = memory.get("next") ?? start
  let cursor = Math.min(memory.get("cursor") ?? length, length)
  if (next === paper.keys.length) {
    text.remove(0, length)
    next = cursor = length = 0
  }
  const end = Math.min(paper.keys.length, next + random.int(1, KEYS_PER_EDIT_MAX))
  for (; next < end; next++) {
    cursor = Math.min(jumps.get(next) ?? cursor, length)
    const key = paper.keys[next] ?? ""
    if (key === BACKSPACE || key === DELETE) {
      const at = key === BACKSPACE ? cursor - 1 : cursor
      if (at < 0 || at >= length) continue
      text.remove(at, 1)
      cursor = at
      length -= 1
    } else {
      text.insert(cursor, key)
      cursor += 1
      length += 1
    }
  }
  memory.set("next", next)
  memory.set("cursor", cursor)
}
