/**
 * A batch in IndexedDB that needs this tab's thread no more once it is handed over: `level` makes
 * one request after the other, and a tab that sleeps in between keeps the database from who leads
 * in its place, for as long as it sleeps.
 */
import type { Operation } from "../storage/database.ts"

/** The database below a browser's `Level`; undefined in Node. */
export function indexedDbOf(level: object): IDBDatabase | undefined {
  if (typeof IDBDatabase !== "function" || !("db" in level)) return undefined
  return level.db instanceof IDBDatabase ? level.db : undefined
}

export function writeAll(
  database: IDBDatabase,
  store: string,
  operations: readonly Operation[],
): Promise<void> {
  const transaction = database.transaction([store], "readwrite")
  const objects = transaction.objectStore(store)
  const writing = new Promise<void>((resolve, reject) => {
    transaction.addEventListener("complete", () => resolve())
    transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("aborted")))
  })
  for (const [key, value] of operations) {
    // What IndexedDB takes as a key never is shared memory.
    if (value === undefined) objects.delete(key.slice())
    else objects.put(value, key.slice())
  }
  transaction.commit()
  return writing
}
