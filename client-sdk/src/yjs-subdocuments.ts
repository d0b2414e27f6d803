/**
 * Subdocuments are refused: a node keeps them as mere references, so what is written in one would
 * sync nowhere. Yjs can't be kept from writing a reference, so it is deleted again right away, and
 * the writer gets the error. It is thrown from `afterTransaction` alone: an error from a handler of
 * a later event would leave the Y.Doc without its clean-up.
 */
import type * as Y from "yjs"
import { SyncError } from "./errors.ts"

/** The origin of the transactions that take references out again. */
const refusal = Symbol("subdocument refused")

/** `remote` is the origin of what comes from nodes, where stock clients may have put one. */
export function refuseSubdocuments(ydoc: Y.Doc, remote: unknown): () => void {
  const onTransaction = (transaction: Y.Transaction): void => {
    const { subdocsAdded, subdocsLoaded, origin } = transaction
    if (subdocsAdded.size + subdocsLoaded.size === 0 || origin === refusal) return
    if (origin === remote) {
      for (const subdoc of subdocsAdded) subdoc.on("afterTransaction", onForeignEdit)
      return
    }
    ydoc.transact((removal) => {
      // oxlint-disable-next-line no-underscore-dangle -- Yjs names its internals so.
      for (const subdoc of subdocsAdded) subdoc._item?.delete(removal)
    }, refusal)
    throw subdocumentError()
  }
  ydoc.on("afterTransaction", onTransaction)
  return () => ydoc.off("afterTransaction", onTransaction)
}

function onForeignEdit(transaction: Y.Transaction): void {
  if (transaction.changed.size > 0) throw subdocumentError()
}

function subdocumentError(): SyncError {
  const message = "subdocuments are not synced: open each part as a document of its own"
  return new SyncError("ERR_SUBDOCUMENT", message, false)
}
