/**
 * The only place that builds a Y.Doc: for digest, JSON and compaction, off the hot path. Such a
 * document never authors an operation. Two things would make it: its random client id in use
 * elsewhere (so it gets one that no update can hold), and Yjs' clean-up of formats, which runs
 * when a known text changes (so a document takes one update, when nothing in it is known yet).
 */
import * as Y from "yjs"
import { readUpdate } from "./update.ts"

/** O(bytes). @throws EngineError `invalid-update`; callers wrap what else Yjs may throw. */
export function loadDocument(state: Uint8Array, options: { gc: boolean }): Y.Doc {
  readUpdate(state)
  // Without a guid Yjs would draw one. It does draw a client id, which is overwritten at once.
  const document = new Y.Doc({ guid: "causeway", gc: options.gc })
  document.clientID = -1
  Y.applyUpdate(document, state)
  return document
}

export function isPending(document: Y.Doc): boolean {
  return document.store.pendingStructs !== null || document.store.pendingDs !== null
}
