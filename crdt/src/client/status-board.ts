/** Says what changed since it last said something, so apps and drivers hear nothing twice. */
import type { DocumentId } from "../base/index.ts"
import type { DocumentTable } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { Sender } from "./sender.ts"
import type { ConnectionStatus, DocumentStatus, PendingStatus } from "./status.ts"

export class StatusBoard {
  readonly #sender: Sender
  readonly #table: DocumentTable
  readonly #documents = new Map<DocumentId, DocumentStatus>()
  #connection: ConnectionStatus | undefined
  #pending: PendingStatus | undefined

  constructor(sender: Sender, table: DocumentTable) {
    this.#sender = sender
    this.#table = table
  }

  statusOf(document: DocumentId): DocumentStatus | undefined {
    const record = this.#table.get(document)
    if (record === undefined) return undefined
    const { freshness, access, generation } = record
    const pending = this.#sender.outbox.countOf(document)
    const isDeleted = record.error?.code === "document-deleted"
    const rejection = isDeleted ? undefined : this.#sender.rejectionOf(document)
    const error = rejection ?? record.error
    const savedTo = this.#sender.savedTo(document)
    const { tiers, outbox } = this.#sender
    const seq = outbox.lastOf(document) ?? tiers.seqOf(record)
    const quorum = tiers.stateOf("quorum", seq)
    const all = tiers.stateOf("all", seq)
    return { pending, savedTo, quorum, all, freshness, access, generation, error }
  }

  /** Reports `connection`, the pending updates and the documents in `touched`; empties it. */
  flush(connection: ConnectionStatus, touched: Set<DocumentId>, effects: ClientEffect[]): void {
    for (const document of touched) this.#flushDocument(document, effects)
    touched.clear()
    const { pending } = this.#sender
    if (!sameFields(this.#pending, pending)) {
      this.#pending = pending
      effects.push({ type: "pending-status", status: pending })
    }
    if (sameFields(this.#connection, connection)) return
    this.#connection = connection
    effects.push({ type: "connection-status", status: connection })
  }

  #flushDocument(document: DocumentId, effects: ClientEffect[]): void {
    const status = this.statusOf(document)
    if (status === undefined) {
      this.#documents.delete(document)
      return
    }
    const record = this.#table.get(document)
    const isWaiting = status.quorum.state === "pending" || status.all.state === "pending"
    if (record !== undefined && isWaiting) this.#sender.tiers.watch(record)
    if (sameFields(this.#documents.get(document), status)) return
    this.#documents.set(document, status)
    effects.push({ type: "document-status", document, status })
  }
}

/** Objects inside count as equal only if they are the same object. */
function sameFields(left: object | undefined, right: object): boolean {
  const fields = Object.entries(right)
  const known = new Map<string, unknown>(Object.entries(left ?? {}))
  return known.size === fields.length && fields.every(([name, value]) => known.get(name) === value)
}
