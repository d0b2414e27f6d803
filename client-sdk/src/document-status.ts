/** A document's status as the app sees it: the core's, with errors as SyncErrors. */
import type { DocumentStatus as CoreStatus, Freshness, SavedTo } from "@causeway/crdt/client"
import type { Access } from "@causeway/crdt/protocol"
import { rejectionError, SyncError } from "./errors.ts"
import type { SyncErrorCode } from "./errors.ts"

export type DocumentStatus = {
  /** Updates that no node has acked yet. */
  readonly pending: number
  /**
   * How far everything typed so far has been saved: never "node" while `error` is a rejected
   * update's, nor before a node has served the document.
   */
  readonly savedTo: SavedTo
  /** How old what the document shows may be; times are milliseconds since 1970. */
  readonly freshness: Freshness
  /** What the node allows; undefined until it said so. */
  readonly access: Access | undefined
  readonly error: SyncError | undefined
}

type OtherCode = Exclude<NonNullable<CoreStatus["error"]>["code"], "update-rejected">

const codes: Readonly<Record<OtherCode, SyncErrorCode>> = {
  "apply-failed": "ERR_APPLY_FAILED",
  "permission-denied": "ERR_PERMISSION_DENIED",
  "document-deleted": "ERR_DOCUMENT_DELETED",
  "document-too-large": "ERR_DOCUMENT_TOO_LARGE",
  "read-failed": "ERR_READ_FAILED",
  "too-many": "ERR_TOO_MANY_DOCUMENTS",
}

export const initialStatus: DocumentStatus = {
  pending: 0,
  savedTo: "memory",
  freshness: { state: "unknown" },
  access: undefined,
  error: undefined,
}

export function documentStatusOf(status: CoreStatus): DocumentStatus {
  const { error } = status
  if (error === undefined) return { ...status, error: undefined }
  const { code, message, retryable } = error
  if (code === "update-rejected") return { ...status, error: rejectionError(message) }
  return { ...status, error: new SyncError(codes[code], message || code, retryable) }
}
