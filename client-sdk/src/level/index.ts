/**
 * Client storage in LevelDB (Node) or IndexedDB (browsers), by the `level` package. In Node a
 * write is on the disk when it is done (fsync). A browser promises less: what is done outlives
 * the tab and the browser's process, but perhaps not a power cut.
 */
import type { ClientStorage } from "@causeway/crdt/ports"
import { RecordStorage } from "../storage/record-storage.ts"
import { LevelRecords } from "./level-records.ts"

export type LevelStorageOptions = {
  /**
   * How long what is typed may wait until it is written, in milliseconds; 0 (as it is if not
   * given): it is written at once. More means fewer and larger writes.
   */
  readonly flushMs?: number
}

/**
 * Storage under that name: a folder in Node, an IndexedDB database in a browser. One client at a
 * time, in all processes and tabs: for others it is `blocked`.
 */
export function levelStorage(name: string, options: LevelStorageOptions = {}): ClientStorage {
  const { flushMs = 0 } = options
  if (name === "") throw new TypeError("storage needs a name")
  if (!(flushMs >= 0 && flushMs <= 10_000)) throw new TypeError("flushMs is 0 to 10,000")
  return new RecordStorage(new LevelRecords(name), { flushMs })
}
