/**
 * Updates refused for good that the app has not dismissed [C3], as they stand in the way of their
 * documents: later updates of the same replica may depend on one, and then nobody sees them.
 * Kept as long as storage keeps them; the bytes only of those that are tried again.
 */
import type { DocumentId } from "../base/index.ts"
import { rejectCodes } from "../protocol/index.ts"
import type { RejectedUpdate } from "../ports/index.ts"
import type { DocumentError } from "./status.ts"

type Dismissed = {
  readonly document: DocumentId
  readonly generation: number
  /** Whether it was refused because the document is. */
  readonly isDeleted: boolean
}

export class Rejections {
  readonly #byDocument = new Map<DocumentId, Map<number, DocumentError>>()
  readonly #documents = new Map<number, Dismissed>()
  /** What nodes could not take then, by seq. */
  readonly #retryable = new Map<number, RejectedUpdate>()

  constructor(stored: readonly RejectedUpdate[]) {
    for (const update of stored) this.add(update)
  }

  add(update: RejectedUpdate): DocumentError {
    const { seq, document, generation, code, message } = update
    const isDeleted = code === "document-deleted"
    if (rejectCodes[code].retry) this.#retryable.set(seq, update)
    const text = message === "" ? code : `${code}: ${message}`
    const error: DocumentError = { code: "update-rejected", message: text, retryable: false }
    this.#documents.set(seq, { document, generation, isDeleted })
    // What is there now under that name is another document, and has nothing to do with it.
    if (isDeleted) return error
    const errors = this.#byDocument.get(document) ?? new Map<number, DocumentError>()
    this.#byDocument.set(document, errors.set(seq, error))
    return error
  }

  /** Gives what the update was of. */
  dismiss(seq: number): Dismissed | undefined {
    const dismissed = this.#documents.get(seq)
    if (dismissed === undefined) return undefined
    const { document } = dismissed
    this.#documents.delete(seq)
    this.#retryable.delete(seq)
    const errors = this.#byDocument.get(document)
    errors?.delete(seq)
    if (errors?.size === 0) this.#byDocument.delete(document)
    return dismissed
  }

  /** Of a deleted document too. */
  has(document: DocumentId): boolean {
    return [...this.#documents.values()].some((each) => each.document === document)
  }

  /** The document's updates that a node may take some day, in order. */
  retryableOf(document: DocumentId): RejectedUpdate[] {
    return [...this.#retryable.values()].filter((update) => update.document === document)
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
