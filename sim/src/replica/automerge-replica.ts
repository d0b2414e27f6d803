/** An Automerge document with text, a map, a list and a counter; fixed actor, time 0. */
import * as Automerge from "@automerge/automerge"
import { assert, bytesConcat, bytesFromHex, bytesToHex, Reader, Writer } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Replica } from "./replica.ts"
import { codePointBoundary, phrase, TEXT_LENGTH_MAX } from "./text.ts"

type Content = {
  text?: string
  map?: Record<string, string>
  list?: string[]
  count?: Automerge.Counter
}

const LIST_LENGTH_MAX = 60
/** Updates that may wait before an edit takes them in. */
const WAITING_MAX = 200

export class AutomergeReplica implements Replica {
  readonly document: DocumentId
  readonly presenceClient: number
  #doc: Automerge.Doc<Content>
  /** Not applied yet: Automerge takes many changes at once far cheaper than one by one. */
  #waiting: Uint8Array[] = []

  constructor(document: DocumentId, random: SimRandom) {
    this.document = document
    this.presenceClient = random.int(1, 0xffff_fffe)
    this.#doc = Automerge.init<Content>({ actor: random.hex(32) })
  }

  edit(random: SimRandom, token: string): Uint8Array[] {
    // Most edits are made by somebody who has not looked yet: more concurrent, and far cheaper.
    const looks = this.#waiting.length > WAITING_MAX || random.chance(0.2)
    const before = looks ? this.#current() : this.#doc
    this.#doc = Automerge.change(before, { time: 0 }, (content) => editOnce(content, random, token))
    if (this.#doc === before) return []
    const change = Automerge.getLastLocalChange(this.#doc)
    return change === undefined ? [] : [change]
  }

  apply(updates: readonly Uint8Array[]): void {
    this.#waiting.push(...updates)
  }

  #current(): Automerge.Doc<Content> {
    const bytes = bytesConcat(this.#waiting)
    this.#waiting = []
    if (bytes.length > 0) this.#doc = Automerge.loadIncremental(this.#doc, bytes)
    return this.#doc
  }

  state(): Uint8Array {
    return bytesConcat(Automerge.getAllChanges(this.#current()))
  }

  difference(summary: Uint8Array): Uint8Array {
    const doc = this.#current()
    const reader = new Reader(summary)
    const heads: string[] = []
    for (let count = reader.varUint(); count > 0; count--) heads.push(bytesToHex(reader.raw(32)))
    const known = heads.filter((hash) => Automerge.hasHeads(doc, [hash]))
    return bytesConcat(Automerge.getChangesSince(doc, known))
  }

  summary(): Uint8Array {
    const heads = [...Automerge.getHeads(this.#current())].sort((one, two) => (one < two ? -1 : 1))
    const writer = new Writer().varUint(heads.length)
    for (const head of heads) {
      const bytes = bytesFromHex(head)
      assert(bytes !== undefined, "a head is hex")
      writer.raw(bytes)
    }
    return writer.finish()
  }

  close(): void {
    Automerge.free(this.#doc)
  }
}

function editOnce(content: Content, random: SimRandom, token: string): void {
  const kind = random.int(0, 9)
  if (kind <= 3) return editText(content, random, token)
  if (kind <= 5) return editMap(content, random, token)
  if (kind <= 7) return editList(content, random, token)
  if (content.count === undefined) content.count = new Automerge.Counter(0)
  content.count.increment(random.int(1, 9))
}

function editText(content: Content, random: SimRandom, token: string): void {
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

function editMap(content: Content, random: SimRandom, token: string): void {
  content.map ??= {}
  const key = `key ${random.int(0, 19)}`
  if (random.chance(0.25) && key in content.map) delete content.map[key]
  else content.map[key] = token
}

function editList(content: Content, random: SimRandom, token: string): void {
  content.list ??= []
  const { list } = content
  const deletes = list.length > LIST_LENGTH_MAX || random.chance(0.25)
  if (deletes && list.length > 0) list.splice(random.int(0, list.length - 1), 1)
  else list.splice(random.int(0, list.length), 0, token)
}
