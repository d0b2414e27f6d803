/** A Y.Doc with text, a map and an array. Edits keep to code points (crdt-facts: surrogates). */
import * as Y from "yjs"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Replica } from "./replica.ts"
import { codePointBoundary, phrase, TEXT_LENGTH_MAX } from "./text.ts"

const remote = "remote"
const LIST_LENGTH_MAX = 60

export class YjsReplica implements Replica {
  readonly document: DocumentId
  readonly #doc: Y.Doc
  #updates: Uint8Array[] = []

  constructor(document: DocumentId, random: SimRandom) {
    this.document = document
    this.#doc = new Y.Doc({ guid: "simulated" })
    // Yjs drew an id from the system's randomness; this one is the seed's.
    this.#doc.clientID = random.int(1, 0xffff_fffe)
    this.#doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== remote) this.#updates.push(update)
    })
  }

  get presenceClient(): number {
    return this.#doc.clientID
  }

  edit(random: SimRandom, token: string): Uint8Array[] {
    this.#updates = []
    this.#doc.transact(() => this.#editOnce(random, token))
    return this.#updates
  }

  #editOnce(random: SimRandom, token: string): void {
    const kind = random.int(0, 9)
    if (kind <= 4) return this.#editText(random, token)
    if (kind <= 7) return this.#editMap(random, token)
    return this.#editList(random, token)
  }

  #editText(random: SimRandom, token: string): void {
    const text = this.#doc.getText("text")
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

  #editMap(random: SimRandom, token: string): void {
    const map = this.#doc.getMap<string>("map")
    const key = `key ${random.int(0, 19)}`
    if (random.chance(0.25) && map.has(key)) map.delete(key)
    else map.set(key, token)
  }

  #editList(random: SimRandom, token: string): void {
    const list = this.#doc.getArray<string>("list")
    const deletes = list.length > LIST_LENGTH_MAX || random.chance(0.25)
    if (deletes && list.length > 0) return list.delete(random.int(0, list.length - 1), 1)
    list.insert(random.int(0, list.length), [token])
  }

  apply(updates: readonly Uint8Array[]): void {
    for (const update of updates) Y.applyUpdate(this.#doc, update, remote)
  }

  state(): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc)
  }

  difference(summary: Uint8Array): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc, summary)
  }

  summary(): Uint8Array {
    return Y.encodeStateVector(this.#doc)
  }

  close(): void {
    this.#doc.destroy()
  }
}
