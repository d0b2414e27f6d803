/** Promises of `saved(tier)`: settled as soon as the core says so, each exactly once. */
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientCore } from "@causeway/crdt/client"
import type { RejectedUpdate } from "@causeway/crdt/ports"
import { rejectionError, SyncError } from "./errors.ts"

/** Where an update can be durable: in local storage, at the node that took it, on more nodes. */
export type Tier = "local" | "node" | "quorum" | "all"

type Save = {
  readonly document: DocumentId
  readonly tier: "local" | "node"
  /** The last update that has to be saved. */
  readonly seq: number
  readonly resolve: () => void
  readonly reject: (error: SyncError) => void
}

export class Saves {
  readonly #waiting = new Set<Save>()

  /** Everything typed in the document until now. */
  wait(core: ClientCore, document: DocumentId, tier: "local" | "node"): Promise<void> {
    const rejection = tier === "node" ? core.rejectionOf(document) : undefined
    if (rejection !== undefined) return Promise.reject(rejectionError(rejection.message))
    const seq = core.pendingOf(document)?.last
    if (seq === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.add({ document, tier, seq, resolve, reject })
      this.check(core)
    })
  }

  check(core: ClientCore): void {
    const connection = core.connection
    for (const save of this.#waiting) {
      const first = core.pendingOf(save.document)?.first ?? Infinity
      const done = first > save.seq || (save.tier === "local" && core.storedSeq >= save.seq)
      if (done) save.resolve()
      if (done) this.#waiting.delete(save)
      else if (save.tier === "node" && connection.state === "closed") {
        const { reason } = connection.why
        this.#fail(save, new SyncError("ERR_CONNECTION_REFUSED", reason, false))
      }
    }
  }

  onRejected(update: RejectedUpdate): void {
    for (const save of this.#waiting) {
      const concerned = save.document === update.document && update.seq <= save.seq
      if (!concerned || save.tier === "local") continue
      this.#fail(save, rejectionError(`${update.code}: ${update.message}`, update))
    }
  }

  failAll(error: SyncError): void {
    for (const save of this.#waiting) this.#fail(save, error)
  }

  #fail(save: Save, error: SyncError): void {
    this.#waiting.delete(save)
    save.reject(error)
  }
}
