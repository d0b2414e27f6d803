/** A Y.Doc; what an edit does is up to the workload. */
import * as Y from "yjs"
import { assert } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Memory, Workload } from "../workloads/workload.ts"
import type { Replica } from "./replica.ts"

const remote = "remote"

export class YjsReplica implements Replica {
  readonly document: DocumentId
  readonly #doc: Y.Doc
  readonly #edit: Workload["editYjs"]
  readonly #memory: Memory = new Map()
  #updates: Uint8Array[] = []

  constructor(document: DocumentId, random: SimRandom, edit: Workload["editYjs"]) {
    this.#edit = edit
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
    const edit = this.#edit
    assert(edit !== undefined, "the workload has Yjs documents and no way to edit them")
    this.#doc.transact(() => edit(this.#doc, random, token, this.#memory))
    return this.#taken()
  }

  apply(updates: readonly Uint8Array[]): Uint8Array[] {
    for (const update of updates) Y.applyUpdate(this.#doc, update, remote)
    return this.#taken()
  }

  #taken(): Uint8Array[] {
    const updates = this.#updates
    if (updates.length > 0) this.#updates = []
    return updates
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
