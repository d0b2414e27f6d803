/** An Automerge document; fixed actor, time 0. What an edit does is up to the workload. */
import * as Automerge from "@automerge/automerge"
import { assert, bytesConcat } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { engines } from "../engine-cache.ts"
import type { SimRandom } from "../random.ts"
import type { AutomergeContent, Memory, Workload } from "../workloads/workload.ts"
import { ChangeSet } from "./change-set.ts"
import type { Replica } from "./replica.ts"

/** Changes that may wait before an edit takes them in. */
const WAITING_MAX = 1000
/** One replica in so many looks at what others wrote; the others write without. */
const LOOKERS = 4
/** How often one that looks does so before it edits. */
const LOOKS = 0.04

export class AutomergeReplica implements Replica {
  readonly document: DocumentId
  readonly presenceClient: number
  readonly #edit: Workload["editAutomerge"]
  readonly #memory: Memory = new Map()
  #doc: Automerge.Doc<AutomergeContent>
  /** All there is, in the document or waiting. */
  readonly #changes = new ChangeSet(engines.automerge)
  readonly #mayLook: boolean
  /** Not applied yet: Automerge takes many changes at once far cheaper than one by one. */
  #waiting: Uint8Array[] = []

  constructor(document: DocumentId, random: SimRandom, edit: Workload["editAutomerge"]) {
    this.#edit = edit
    this.document = document
    this.presenceClient = random.int(1, 0xffff_fffe)
    this.#mayLook = this.presenceClient % LOOKERS === 0
    this.#doc = Automerge.init<AutomergeContent>({ actor: random.hex(32) })
  }

  edit(random: SimRandom, token: string): Uint8Array[] {
    const edit = this.#edit
    assert(edit !== undefined, "the workload has Automerge documents and no way to edit them")
    // Most edits are made by somebody who has not looked yet: more concurrent, and far cheaper.
    const looks = this.#waiting.length > WAITING_MAX || (this.#mayLook && random.chance(LOOKS))
    const before = looks ? this.#current() : this.#doc
    this.#doc = Automerge.change(before, { time: 0 }, (content) =>
      edit(content, random, token, this.#memory),
    )
    if (this.#doc === before) return []
    const change = Automerge.getLastLocalChange(this.#doc)
    if (change === undefined) return []
    this.#changes.add(change)
    return [change]
  }

  apply(updates: readonly Uint8Array[]): Uint8Array[] {
    for (const update of updates) {
      const fresh = this.#changes.add(update)
      if (this.#mayLook) this.#waiting.push(...fresh)
    }
    return []
  }

  look(): Uint8Array[] {
    return []
  }

  /** Takes in what waits. */
  #current(): Automerge.Doc<AutomergeContent> {
    const bytes = bytesConcat(this.#waiting)
    this.#waiting = []
    if (bytes.length > 0) this.#doc = Automerge.loadIncremental(this.#doc, bytes)
    return this.#doc
  }

  state(): Uint8Array {
    // Who looks shows what Automerge itself makes of what is held.
    if (!this.#mayLook) return this.#changes.state()
    // It does not give back what waits for a predecessor.
    const shown = bytesConcat(Automerge.getAllChanges(this.#current()))
    return bytesConcat([shown, this.#changes.waiting()])
  }

  difference(summary: Uint8Array): Uint8Array {
    return this.#changes.difference(summary)
  }

  summary(): Uint8Array {
    return this.#changes.summary()
  }

  close(): void {
    Automerge.free(this.#doc)
  }
}
