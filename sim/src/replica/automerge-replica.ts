/** An Automerge document; fixed actor, time 0. What an edit does is up to the workload. */
import * as Automerge from "@automerge/automerge"
import { assert, bytesConcat, bytesFromHex, bytesToHex, Reader, Writer } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { AutomergeContent, Memory, Workload } from "../workloads/workload.ts"
import type { Replica } from "./replica.ts"

/** Updates that may wait before an edit takes them in. */
const WAITING_MAX = 200

export class AutomergeReplica implements Replica {
  readonly document: DocumentId
  readonly presenceClient: number
  readonly #edit: Workload["editAutomerge"]
  readonly #memory: Memory = new Map()
  #doc: Automerge.Doc<AutomergeContent>
  /** Not applied yet: Automerge takes many changes at once far cheaper than one by one. */
  #waiting: Uint8Array[] = []

  constructor(document: DocumentId, random: SimRandom, edit: Workload["editAutomerge"]) {
    this.#edit = edit
    this.document = document
    this.presenceClient = random.int(1, 0xffff_fffe)
    this.#doc = Automerge.init<AutomergeContent>({ actor: random.hex(32) })
  }

  edit(random: SimRandom, token: string): Uint8Array[] {
    const edit = this.#edit
    assert(edit !== undefined, "the workload has Automerge documents and no way to edit them")
    // Most edits are made by somebody who has not looked yet: more concurrent, and far cheaper.
    const looks = this.#waiting.length > WAITING_MAX || random.chance(0.2)
    const before = looks ? this.#current() : this.#doc
    this.#doc = Automerge.change(before, { time: 0 }, (content) =>
      edit(content, random, token, this.#memory),
    )
    if (this.#doc === before) return []
    const change = Automerge.getLastLocalChange(this.#doc)
    return change === undefined ? [] : [change]
  }

  apply(updates: readonly Uint8Array[]): Uint8Array[] {
    this.#waiting.push(...updates)
    return []
  }

  #current(): Automerge.Doc<AutomergeContent> {
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
