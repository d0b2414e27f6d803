/** A Y.Doc; what an edit does is up to the workload. */
import * as Y from "yjs"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Workload } from "../workloads/workload.ts"
import type { Replica } from "./replica.ts"

const remote = "remote"

export class YjsReplica implements Replica {
  readonly document: DocumentId
  readonly #doc: Y.Doc
  readonly #edit: Workload["editYjs"]
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
    this.#updates = []
    this.#doc.transact(() => this.#edit(this.#doc, random, token))
    return this.#updates
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
