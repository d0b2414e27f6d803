/** Client storage in one SQLite file, by Node's own `node:sqlite`. For Node alone. */
import type { ClientStorage } from "@causeway/crdt/ports"
import { RecordStorage } from "../storage/record-storage.ts"
import { SqliteRecords } from "./sqlite-records.node.ts"

export type SqliteStorageOptions = {
  /** As of `levelStorage`. */
  readonly flushMs?: number
}

/**
 * Storage in that file, which is made if there is none. A write is on the disk when it is done. One
 * client at a time: for others it is `blocked`.
 */
export function sqliteStorage(file: string, options: SqliteStorageOptions = {}): ClientStorage {
  const { flushMs = 0 } = options
  if (file === "") throw new TypeError("storage needs a file")
  if (!(flushMs >= 0 && flushMs <= 10_000)) throw new TypeError("flushMs is 0 to 10,000")
  return new RecordStorage(new SqliteRecords(file), { flushMs })
}
