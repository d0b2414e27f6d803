/**
 * A record database in one table of a SQLite file. The lock is SQLite's: exclusive from the first
 * write on, so that a second client finds it blocked instead of taking this one's numbers.
 */
import { DatabaseSync } from "node:sqlite"
import type { StatementSync } from "node:sqlite"
import type { StorageFailureCode } from "@causeway/crdt/ports"
import { DatabaseError } from "../storage/database.ts"
import type { Operation, RecordDatabase } from "../storage/database.ts"

type Opened = {
  readonly database: DatabaseSync
  readonly get: StatementSync
  readonly range: StatementSync
  readonly put: StatementSync
  readonly remove: StatementSync
}

/** Primary result codes, https://sqlite.org/rescode.html */
const codes: Readonly<Record<number, StorageFailureCode>> = {
  5: "blocked",
  6: "blocked",
  3: "denied",
  8: "denied",
  14: "denied",
  23: "denied",
  11: "damaged",
  26: "damaged",
  13: "full",
}

export class SqliteRecords implements RecordDatabase {
  readonly #file: string
  #opened: Opened | undefined

  constructor(file: string) {
    this.#file = file
  }

  open(): Promise<void> {
    return asking(() => {
      const database = new DatabaseSync(this.#file)
      try {
        database.exec("PRAGMA locking_mode = EXCLUSIVE")
        database.exec("PRAGMA journal_mode = WAL")
        database.exec("PRAGMA synchronous = FULL")
        const columns = "key BLOB PRIMARY KEY, value BLOB NOT NULL"
        database.exec(`CREATE TABLE IF NOT EXISTS records (${columns}) WITHOUT ROWID`)
        // A write takes the lock, which is kept from then on.
        database.exec("BEGIN IMMEDIATE; COMMIT")
        this.#opened = {
          database,
          get: database.prepare("SELECT value FROM records WHERE key = ?"),
          range: database.prepare(
            "SELECT key, value FROM records WHERE key >= ? AND key < ? ORDER BY key",
          ),
          put: database.prepare("INSERT OR REPLACE INTO records (key, value) VALUES (?, ?)"),
          remove: database.prepare("DELETE FROM records WHERE key = ?"),
        }
      } catch (error) {
        database.close()
        throw error
      }
    })
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return asking(() => bytesIn(this.#open.get.get(key), "value"))
  }

  async *range(
    from: Uint8Array,
    to: Uint8Array,
  ): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    const rows = await asking(() => this.#open.range.all(from, to))
    for (const row of rows) {
      const [key, value] = [bytesIn(row, "key"), bytesIn(row, "value")]
      if (key !== undefined && value !== undefined) yield [key, value]
    }
  }

  batch(operations: readonly Operation[]): Promise<void> {
    return asking(() => {
      const { database, put, remove } = this.#open
      database.exec("BEGIN IMMEDIATE")
      try {
        for (const [key, value] of operations) {
          if (value === undefined) remove.run(key)
          else put.run(key, value)
        }
        database.exec("COMMIT")
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK")
        throw error
      }
    })
  }

  close(): Promise<void> {
    return asking(() => {
      this.#opened?.database.close()
      this.#opened = undefined
    })
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new DatabaseError("closed", "the database is closed")
    return this.#opened
  }
}

function bytesIn(
  row: Readonly<Record<string, unknown>> | undefined,
  column: string,
): Uint8Array | undefined {
  const value = row?.[column]
  return value instanceof Uint8Array ? value : undefined
}

/** SQLite answers at once; what it throws becomes a failure with a code. */
async function asking<T>(run: () => T): Promise<T> {
  try {
    return await Promise.resolve(run())
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    throw new DatabaseError(codeOf(error), String(error), { cause: error })
  }
}

function codeOf(error: unknown): StorageFailureCode {
  if (!(error instanceof Error) || !("errcode" in error)) return "failed"
  return codes[Number(error.errcode) & 0xff] ?? "failed"
}
