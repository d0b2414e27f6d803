/** A Y.Doc; what an edit does is up to the workload. */
import { encodeShown } from "@causeway/crdt/engines/yjs"
import * as Y from "yjs"
import { assert } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { engines } from "../engine-cache.ts"
import type { SimRandom } from "../random.ts"
import type { Memory, Workload } from "../workloads/workload.ts"
import { Incomplete } from "./incomplete.ts"
import { isEarly, isReady } from "./readiness.ts"
import type { Early } from "./readiness.ts"
import type { Replica } from "./replica.ts"

const remote = "remote"
/** Updates that may wait; one more, and all are taken in. */
const WAITING_MAX = 100
/** Early updates that are kept apart; one more, and Yjs gets all of them, merged. */
const EARLY_MAX = 500

export class YjsReplica implements Replica {
  readonly document: DocumentId
  readonly #doc: Y.Doc
  readonly #edit: Workload["editYjs"]
  readonly #memory: Memory = new Map()
  #updates: Uint8Array[] = []
  /** Delivered and not taken in: many in one transaction cost far less than one by one. */
  #waiting: Uint8Array[] = []
  /** Taken in but without any effect so far: Yjs would merge all of them again with each more. */
  #early: Early[] = []
  #listening = false
  /** As it was encoded last; undefined once something was taken in or edited. */
  #state: Uint8Array | undefined

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
    this.#state = undefined
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
    this.#state = undefined
    this.#doc.transact(() => {
      const incomplete = new Incomplete(this.#doc)
      for (const update of waiting) {
        const early = isEarly(this.#doc, update)
        if (early === undefined) this.#apply(update, incomplete)
        else this.#early.push(early)
      }
      this.#takeReady(incomplete)
    }, remote)
    if (this.#early.length > EARLY_MAX) this.#takeAll()
  }

  /** What waited and no longer has to, early updates and parts of others by turns. */
  #takeReady(incomplete: Incomplete): void {
    let applied = true
    while (applied) {
      const waited = this.#early
      this.#early = waited.filter((early) => {
        if (!isReady(this.#doc, early)) return true
        this.#apply(early.update, incomplete)
        return false
      })
      applied = this.#early.length < waited.length
      if (!applied) applied = incomplete.apply(remote)
    }
    incomplete.giveBack(remote)
  }

  #apply(update: Uint8Array, incomplete: Incomplete): void {
    Y.applyUpdate(this.#doc, update, remote)
    incomplete.take()
  }

  /** Yjs itself keeps what waits. */
  #takeAll(): void {
    this.#takeIn()
    if (this.#early.length === 0) return
    const merged = engines.yjs.merge(this.#early.map(({ update }) => update))
    this.#early = []
    Y.applyUpdate(this.#doc, merged, remote)
  }

  #taken(): Uint8Array[] {
    if (this.#listening) this.#doc.off("update", this.#onUpdate)
    this.#listening = false
    const updates = this.#updates
    if (updates.length > 0) this.#updates = []
    return updates
  }

  state(): Uint8Array {
    this.#takeAll()
    this.#state ??= Y.encodeStateAsUpdate(this.#doc)
    return this.#state
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
