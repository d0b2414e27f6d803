/** A Y.Doc; what an edit does is up to the workload. */
import { encodeShown } from "@causeway/crdt/engines/yjs"
import * as Y from "yjs"
import { assert } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Memory, Workload } from "../workloads/workload.ts"
import type { Replica } from "./replica.ts"

const remote = "remote"
/** Updates that may wait; one more, and all are taken in. */
const WAITING_MAX = 100

export class YjsReplica implements Replica {
  readonly document: DocumentId
  readonly #doc: Y.Doc
  readonly #edit: Workload["editYjs"]
  readonly #memory: Memory = new Map()
  #updates: Uint8Array[] = []
  /** Delivered and not taken in: many in one transaction cost far less than one by one. */
  #waiting: Uint8Array[] = []
  #listening = false

  constructor(document: DocumentId, random: SimRandom, edit: Workload["editYjs"]) {
    this.#edit = edit
    this.document = document
    this.#doc = new Y.Doc({ guid: "simulated" })
    // Yjs drew an id from the system's randomness; this one is the seed's.
    this.#doc.clientID = random.int(1, 0xffff_fffe)
    // Yjs encodes each transaction for who listens: nobody does to what others wrote.
    this.#doc.on("beforeTransaction", ({ origin }: Y.Transaction) => {
      if (origin === remote || this.#listening) return
      this.#listening = true
      this.#doc.on("update", this.#onUpdate)
    })
  }

  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== remote) this.#updates.push(update)
  }

  get presenceClient(): number {
    return this.#doc.clientID
  }

  edit(random: SimRandom, token: string): Uint8Array[] {
    const edit = this.#edit
    assert(edit !== undefined, "the workload has Yjs documents and no way to edit them")
    this.#takeIn()
    this.#doc.transact(() => edit(this.#doc, random, token, this.#memory))
    return this.#taken()
  }

  apply(updates: readonly Uint8Array[]): Uint8Array[] {
    this.#waiting.push(...updates)
    return this.#waiting.length > WAITING_MAX ? this.look() : []
  }

  look(): Uint8Array[] {
    this.#takeIn()
    return this.#taken()
  }

  #takeIn(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    this.#doc.transact(() => {
      for (const update of waiting) Y.applyUpdate(this.#doc, update, remote)
    }, remote)
  }

  #taken(): Uint8Array[] {
    if (this.#listening) this.#doc.off("update", this.#onUpdate)
    this.#listening = false
    const updates = this.#updates
    if (updates.length > 0) this.#updates = []
    return updates
  }

  state(): Uint8Array {
    this.#takeIn()
    return Y.encodeStateAsUpdate(this.#doc)
  }

  difference(summary: Uint8Array): Uint8Array {
    this.#takeIn()
    return encodeShown(this.#doc, summary)
  }

  summary(): Uint8Array {
    this.#takeIn()
    return Y.encodeStateVector(this.#doc)
  }

  close(): void {
    this.#doc.destroy()
  }
}
