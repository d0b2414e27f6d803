/** Promises of `saved(tier)`: settled as soon as the core says so, each exactly once. */
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientCore } from "@causeway/crdt/client"
import type { RejectedUpdate } from "@causeway/crdt/ports"
import { deletedError, rejectionError } from "./document-errors.ts"
import { SyncError } from "./errors.ts"
import { lostWhy, unknownWhy } from "./tier-status.ts"

/** Where an update can be durable: in local storage, at the node that took it, on more nodes. */
export type Tier = "local" | "node" | "quorum" | "all"

type Save = {
  /** Undefined: of all documents. */
  readonly document: DocumentId | undefined
  readonly tier: Tier
  /** The last update that has to be saved; of all documents a point in the order of writes. */
  seq: number
  readonly resolve: () => void
  readonly reject: (error: SyncError) => void
}

type Verdict = "saved" | "waiting" | SyncError

export class Saves {
  readonly #waiting = new Set<Save>()

  /** Everything typed in the document until now. */
  wait(core: ClientCore, document: DocumentId, tier: Tier): Promise<void> {
    // What is no tier would be waited for without end.
    if (!/^(?:local|node|quorum|all)$/.test(tier)) throw new TypeError(`no tier: ${tier}`)
    const error = tier === "local" ? undefined : core.statusOf(document)?.error
    if (error?.code === "document-deleted") return Promise.reject(deletedError(error.message))
    const rejection = tier === "local" ? undefined : core.rejectionOf(document)
    if (rejection !== undefined) return Promise.reject(rejectionError(rejection.message))
    const isHigher = tier === "quorum" || tier === "all"
    const seq = isHigher ? core.tierSeqOf(document) : core.pendingOf(document)?.last
    if (seq === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.add({ document, tier, seq, resolve, reject })
      this.check(core)
    })
  }

  /** All that is on its way to storage now. */
  stored(core: ClientCore): Promise<void> {
    const seq = core.storingTo
    if (seq === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiting.add({ document: undefined, tier: "local", seq, resolve, reject })
    })
  }

  check(core: ClientCore): void {
    for (const save of this.#waiting) {
      const verdict = verdictOf(core, save)
      if (verdict === "saved") {
        this.#waiting.delete(save)
        save.resolve()
      } else if (verdict !== "waiting") this.#fail(save, verdict)
    }
  }

  onRejected(update: RejectedUpdate): void {
    for (const save of this.#waiting) {
      const concerned = save.document === update.document && update.seq <= save.seq
      if (!concerned || save.tier === "local") continue
      this.#fail(save, errorOf(update))
    }
  }

  /** Those of the document, if one is given. */
  failAll(error: SyncError, document?: DocumentId): void {
    for (const save of this.#waiting) {
      if (document === undefined || save.document === document) this.#fail(save, error)
    }
  }

  #fail(save: Save, error: SyncError): void {
    this.#waiting.delete(save)
    save.reject(error)
  }
}

function errorOf(update: RejectedUpdate): SyncError {
  const { code, message } = update
  if (code === "document-deleted") return deletedError(message, update)
  return rejectionError(`${code}: ${message}`, update)
}

function verdictOf(core: ClientCore, save: Save): Verdict {
  const { document, tier, seq } = save
  if (document === undefined) return core.isStored(seq) ? "saved" : "waiting"
  const isAcked = (core.pendingOf(document)?.first ?? Infinity) > seq
  if (tier === "local") return isAcked || core.storedSeq >= seq ? "saved" : "waiting"
  if (tier !== "node") {
    const verdict = higherVerdict(core, save, document, tier)
    if (verdict !== "waiting") return verdict
  } else if (isAcked) return "saved"
  const { connection } = core
  if (connection.state !== "closed") return "waiting"
  return new SyncError("ERR_CONNECTION_REFUSED", connection.why.reason, false)
}

function higherVerdict(
  core: ClientCore,
  save: Save,
  document: DocumentId,
  tier: "quorum" | "all",
): Verdict {
  const { state } = core.tierOf(tier, save.seq)
  if (state === "saved") return "saved"
  if (state === "unknown") return new SyncError("ERR_TIER_UNAVAILABLE", unknownWhy, false)
  if (state !== "lost") return "waiting"
  // What a node lacks of an open document is sent anew when it opens there; that is waited for.
  const later = core.tierSeqOf(document)
  if (later > save.seq) {
    save.seq = later
    return higherVerdict(core, save, document, tier)
  }
  const freshness = core.statusOf(document)?.freshness.state ?? "live"
  if (freshness !== "live") return "waiting"
  return new SyncError("ERR_TIER_LOST", lostWhy, false)
}
