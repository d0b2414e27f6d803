/** A durable store on LevelDB, in a worker thread behind the store port. */
import type { Store } from "@causeway/crdt/ports"
import { openInThread } from "../thread/open.ts"
import type { FolderStoreOptions } from "../thread/open.ts"

/**
 * Opens the folder's store, which no other process may have open. O(origins), whatever it holds,
 * unless records may be damaged or the own log was overtaken: then O(log).
 * @throws StoreOpenError
 */
export function openLevelStore(options: FolderStoreOptions): Promise<Store> {
  return openInThread(import.meta.url, "level", options)
}
