/**
 * Updates refused for good that the app has not taken care of [C3], as they stand in the way of
 * their documents: later updates of the same replica may depend on one, and then nobody sees them.
 * Kept as long as storage keeps them.
 */
import type { DocumentId } from "../base/index.ts"
import { rejectCodes } from "../protocol/index.ts"
import type { RejectedUpdate } from "../ports/index.ts"
import type { DocumentError } from "./status.ts"

export class Rejections {
  readonly #byDocument = new Map<DocumentId, Map<number, DocumentError>>()
  readonly #updates = new Map<number, RejectedUpdate>()

  constructor(stored: readonly RejectedUpdate[]) {
    for (const update of stored) this.add(update)
  }

  add(update: RejectedUpdate): DocumentError {
    const { seq, document, code, message } = update
    const text = message === "" ? code : `${code}: ${message}`
    const error: DocumentError = { code: "update-rejected", message: text, retryable: false }
    this.#updates.set(seq, update)
    // What is there now under that name is another document, and has nothing to do with it.
    if (code === "document-deleted") return error
    const errors = this.#byDocument.get(document) ?? new Map<number, DocumentError>()
    this.#byDocument.set(document, errors.set(seq, error))
    return error
  }

  get(seq: number): RejectedUpdate | undefined {
    return this.#updates.get(seq)
  }

  take(seq: number): RejectedUpdate | undefined {
    const update = this.#updates.get(seq)
    if (update === undefined) return undefined
    this.#updates.delete(seq)
    const errors = this.#byDocument.get(update.document)
    errors?.delete(seq)
    if (errors?.size === 0) this.#byDocument.delete(update.document)
    return update
  }

  /** Of a deleted document too. */
  seqsOf(document: DocumentId): number[] {
    const updates = [...this.#updates.values()]
    return updates.flatMap((each) => (each.document === document ? [each.seq] : []))
  }

  /** The document's updates that a node may take some day, in order. */
  retryableOf(document: DocumentId): RejectedUpdate[] {
    return [...(this.#byDocument.get(document)?.keys() ?? [])].flatMap((seq) => {
      const update = this.#updates.get(seq)
      return update !== undefined && rejectCodes[update.code].retry ? [update] : []
    })
  }

  /** The document's highest number here. */
  lastOf(document: DocumentId): number | undefined {
    return [...(this.#byDocument.get(document)?.keys() ?? [])].at(-1)
  }

  /** The document's oldest. */
  of(document: DocumentId): DocumentError | undefined {
    for (const error of this.#byDocument.get(document)?.values() ?? []) return error
    return undefined
  }
}

/** The reject code for updates of a document that a node closed for good. */
export function refusalOf(
  code: DocumentError["code"],
): "permission-denied" | "document-deleted" | "too-large" | undefined {
  if (code === "permission-denied" || code === "document-deleted") return code
  return code === "document-too-large" ? "too-large" : undefined
}
