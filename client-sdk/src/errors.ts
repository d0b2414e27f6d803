/**
 * The one error the SDK throws, rejects with or reports for what the world does. Misuse of the
 * API is a TypeError instead. Codes are never reused.
 */
export type SyncErrorCode =
  /** The client, or the document's handle, was closed. */
  | "ERR_CLOSED"
  /** A node ended the connection for good; `cause` says why. */
  | "ERR_CONNECTION_REFUSED"
  /** Local storage does not work; `cause` says why, and `client.storage` what it is now. */
  | "ERR_STORAGE"
  /** The node is of an older build and knows nothing of this tier. */
  | "ERR_TIER_UNAVAILABLE"
  /** Whether it came to the tier can't be known any more: the node that took it lost it. */
  | "ERR_TIER_LOST"
  /** A node refused an update for good; `onRejected` has it until it is dismissed. */
  | "ERR_UPDATE_REJECTED"
  /** What a node sent could not be applied to the replica. */
  | "ERR_APPLY_FAILED"
  | "ERR_PERMISSION_DENIED"
  | "ERR_DOCUMENT_DELETED"
  | "ERR_DOCUMENT_TOO_LARGE"
  | "ERR_READ_FAILED"
  | "ERR_TOO_MANY_DOCUMENTS"
  /** The app wants to remove a document that it has open. */
  | "ERR_DOCUMENT_OPEN"
  /** No node has what was typed, and it would be lost, or was discarded. */
  | "ERR_NOT_SAVED"
  /** The engine's code could not be loaded. */
  | "ERR_ENGINE_UNAVAILABLE"
  /** The document is not loaded yet, and that much can't wait for it. */
  | "ERR_NOT_LOADED"
  /** There is no conflict at the path, or it is resolved already. */
  | "ERR_NO_CONFLICT"
  /** A subdocument was put into a Yjs document, or written in. */
  | "ERR_SUBDOCUMENT"

export class SyncError extends Error {
  override readonly name = "SyncError"
  readonly code: SyncErrorCode
  /** True if the client tries again by itself, or trying again may work. */
  readonly retryable: boolean

  constructor(code: SyncErrorCode, message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryable = retryable
  }
}
