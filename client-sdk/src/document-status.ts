/** A document's status as the app sees it: the core's, with errors as SyncErrors. */
import type { DocumentStatus as CoreStatus, Freshness, SavedTo } from "@causeway/crdt/client"
import type { Access } from "@causeway/crdt/protocol"
import { deletedError, rejectionError } from "./document-errors.ts"
import { SyncError } from "./errors.ts"
import type { SyncErrorCode } from "./errors.ts"
import { tierStatusOf } from "./tier-status.ts"
import type { TierStatus } from "./tier-status.ts"

export type DocumentStatus = {
  /** Updates that no node has acked yet. */
  readonly pending: number
  /**
   * How far everything typed so far has been saved: never "node" or more while `error` is a
   * rejected update's, nor before a node has served the document; "quorum" and "all" only once
   * `saved` was called with them.
   */
  readonly savedTo: SavedTo
  readonly quorum: TierStatus
  readonly all: TierStatus
  /** How old what the document shows may be; times are milliseconds since 1970. */
  readonly freshness: Freshness
  /** What the node allows; undefined until it said so. */
  readonly access: Access | undefined
  /** Counts how often the name was used anew after a deletion, from 1; 0 until a node said so. */
  readonly generation: number
  readonly error: SyncError | undefined
}

type CoreCode = NonNullable<CoreStatus["error"]>["code"]
type OtherCode = Exclude<CoreCode, "update-rejected" | "document-deleted">

const codes: Readonly<Record<OtherCode, SyncErrorCode>> = {
  "apply-failed": "ERR_APPLY_FAILED",
  "permission-denied": "ERR_PERMISSION_DENIED",
  "document-too-large": "ERR_DOCUMENT_TOO_LARGE",
  "read-failed": "ERR_READ_FAILED",
  "too-many": "ERR_TOO_MANY_DOCUMENTS",
}

export const initialStatus: DocumentStatus = {
  pending: 0,
  savedTo: "memory",
  quorum: { state: "unasked" },
  all: { state: "unasked" },
  freshness: { state: "unknown" },
  access: undefined,
  generation: 0,
  error: undefined,
}

export function documentStatusOf(status: CoreStatus): DocumentStatus {
  const { error } = status
  const quorum = tierStatusOf(status.quorum, status)
  const all = tierStatusOf(status.all, status)
  return { ...status, quorum, all, error: error && errorOf(error) }
}

function errorOf({ code, message, retryable }: NonNullable<CoreStatus["error"]>): SyncError {
  if (code === "update-rejected") return rejectionError(message)
  if (code === "document-deleted") return deletedError(message)
  return new SyncError(codes[code], message || code, retryable)
}
