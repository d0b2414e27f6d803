/**
 * What a Y.Doc shows, without what waits in it for predecessors. Yjs itself passes that on with
 * every difference: one megabyte that somebody left waiting would come back with each repair of
 * each client, be logged again, and make the next repair necessary.
 */
import * as Y from "yjs"

/** As `Y.encodeStateAsUpdate`, of what takes effect alone. O(document). */
export function encodeShown(doc: Y.Doc, vector?: Uint8Array): Uint8Array {
  const { store } = doc
  const { pendingStructs, pendingDs } = store
  store.pendingStructs = null
  store.pendingDs = null
  try {
    return Y.encodeStateAsUpdate(doc, vector)
  } finally {
    store.pendingStructs = pendingStructs
    store.pendingDs = pendingDs
  }
}
