/** What apps are told of one document, in whole sentences: what happened, and what they can do. */
import type { Owed } from "@causeway/crdt/client"
import { SyncError } from "./errors.ts"

export function openError(): SyncError {
  return new SyncError("ERR_DOCUMENT_OPEN", "the document is open: close its handle first", false)
}

export function discardedError(): SyncError {
  return new SyncError("ERR_NOT_SAVED", "the document was removed, with what was typed", false)
}

/** A document that would take with it what nobody else has. */
export function unsavedError({ pending, rejected }: Owed): SyncError {
  const message =
    `${pending} updates are on no node yet and ${rejected} were refused: save and dismiss them, ` +
    "or discard them"
  return new SyncError("ERR_NOT_SAVED", message, false)
}

/** A document that was deleted: what happened, and what the app can do. */
export function deletedError(why: string, cause?: unknown): SyncError {
  const message =
    `${why || "the document was deleted"}: close this handle; what was not saved is in ` +
    "onRejected"
  return new SyncError("ERR_DOCUMENT_DELETED", message, false, { cause })
}

/** A document with a rejected update: what happened, and what the app can do. */
export function rejectionError(why: string, cause?: unknown): SyncError {
  const message =
    `a node refused an update of this document (${why}), so what was typed since may reach ` +
    "nobody: close this handle, write what matters into a fresh one, and dismiss what " +
    "onRejected gives"
  return new SyncError("ERR_UPDATE_REJECTED", message, false, { cause })
}
