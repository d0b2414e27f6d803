/**
 * A database as it lies there, opened so that nothing in its folder changes, and read so that a
 * page that can't be read costs no other. A folder in use by another process is refused. Rule [B5].
 */
import { existsSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { errorCode, errorMessage, StoreOpenError, asOpenError } from "../store/errors.ts"
import { APPLICATION_ID, DATABASE_FILE, SCHEMA_VERSION } from "../store/sqlite/schema.ts"

export type RawEntry = {
  readonly id: number
  readonly document: number
  readonly entry: Buffer
}

/** Entries between readable ones; how many there were nobody knows. */
export type Unreadable = { readonly afterId: number; readonly beforeId: number }

const pageEntries = 256
/** Entries looked for one by one behind an unreadable page. */
const singlesMax = 1024

export class RawDatabase {
  readonly database: Database.Database
  readonly format: number
  readonly #strays: readonly string[]

  /** @throws StoreOpenError */
  constructor(directory: string) {
    const file = join(directory, DATABASE_FILE)
    if (!existsSync(file)) {
      throw new StoreOpenError("not-a-store", `there is no ${DATABASE_FILE} in ${directory}`)
    }
    // Reading a database in WAL mode makes these; where they were not before, they go again.
    this.#strays = ["-shm", "-wal"].map((suffix) => file + suffix).filter((at) => !existsSync(at))
    let database: Database.Database | undefined
    try {
      database = new Database(file, { readonly: true, timeout: 0 })
      // The only way to look into a file that ends before its header says.
      database.unsafeMode()
      database.pragma("writable_schema = ON")
      this.database = database
      this.format = formatOf(database, file)
    } catch (error) {
      database?.close()
      this.#tidy()
      throw asOpenError(error, directory)
    }
  }

  close(): void {
    this.database.close()
    this.#tidy()
  }

  #tidy(): void {
    for (const file of this.#strays) {
      if (existsSync(file) && (file.endsWith("-shm") || statSync(file).size === 0)) rmSync(file)
    }
  }

  hasTable(name: string): boolean {
    const select = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return this.database.prepare(select).get(name) !== undefined
  }

  /** What SQLite says about its own file; empty if it is sound. */
  integrity(): string[] {
    try {
      // cast: the pragma answers with rows of one text.
      const rows = this.database.pragma("integrity_check(100)") as { integrity_check: string }[]
      return rows.map((row) => row.integrity_check).filter((line) => line !== "ok")
    } catch (error) {
      if (!isDamage(error)) throw error
      return [errorMessage(error)]
    }
  }

  /** Rows one by one, as far as they can be read; `onUnreadable` if not to the end. */
  *rows<Row>(sql: string, onUnreadable: () => void): Generator<Row> {
    try {
      yield* this.database.prepare<[], Row>(sql).iterate()
    } catch (error) {
      if (!isDamage(error)) throw error
      onUnreadable()
    }
  }

  /** Entries with keys from `fromId` to `toId`, in order, and where they can't be read. */
  *entries(fromId: number, toId: number): Generator<RawEntry | Unreadable> {
    const page = this.database.prepare<[number, number, number], RawEntry>(
      "SELECT id, document, entry FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
    )
    let at = fromId - 1
    let length = pageEntries
    for (;;) {
      let rows: RawEntry[]
      try {
        rows = page.all(at, toId, length)
      } catch (error) {
        if (!isDamage(error)) throw error
        if (length > 1) {
          length = 1
          continue
        }
        const next = this.#nextReadable(at, toId)
        yield { afterId: at, beforeId: next ?? toId + 1 }
        if (next === undefined) return
        at = next - 1
        continue
      }
      const before = at
      for (const { id, document, entry } of rows) {
        // In a damaged tree a search may come upon keys out of order, and out of the range.
        if (id <= at || id > toId) continue
        at = id
        yield { id, document, entry: bytesOf(entry) }
      }
      if (rows.length === 0 || (rows.length < length && length > 1)) return
      if (at === before) {
        yield { afterId: at, beforeId: toId + 1 }
        return
      }
      // Back to whole pages once the bad one is passed.
      if (length === 1) length = pageEntries
    }
  }

  /**
   * The first key behind `at` that can be read: one by one at first, as a page has few entries,
   * then in leaps that double, and back to where reading begins to fail.
   */
  #nextReadable(at: number, toId: number): number | undefined {
    const next = this.database.prepare<[number, number], { id: number; entry: Buffer }>(
      "SELECT id, entry FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT 1",
    )
    /** Undefined: it can't be read; null: there is nothing more. */
    const probe = (behind: number): number | null | undefined => {
      try {
        return next.get(behind, toId)?.id ?? null
      } catch (error) {
        if (!isDamage(error)) throw error
        return undefined
      }
    }
    let failed = at
    let found: number | null | undefined
    for (let leap = 1; failed < toId; failed += leap) {
      found = probe(Math.min(failed + leap, toId))
      if (found !== undefined) {
        while (leap > 1) {
          leap = Math.floor(leap / 2)
          const nearer = probe(failed + leap)
          if (nearer === undefined) failed += leap
          else found = nearer
        }
        break
      }
      if (failed - at > singlesMax) leap *= 2
    }
    return found ?? undefined
  }
}

/** In a damaged row a column may hold anything; what is no bytes is none. */
export function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.length)
    : Buffer.alloc(0)
}

/** Whether SQLite said that its file is damaged. */
function isDamage(error: unknown): boolean {
  const code = errorCode(error)
  return damageCodes.some((prefix) => code.startsWith(prefix))
}

const damageCodes = ["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"]

function formatOf(database: Database.Database, file: string): number {
  const application = database.pragma("application_id", { simple: true })
  const version = database.pragma("user_version", { simple: true })
  if (application !== APPLICATION_ID || typeof version !== "number") {
    throw new StoreOpenError("not-a-store", `${file} is no database of Causeway`)
  }
  if (version > SCHEMA_VERSION) {
    throw new StoreOpenError(
      "newer-version",
      `${file} was written by a newer version of Causeway (format ${version}, ` +
        `this one reads up to ${SCHEMA_VERSION}); look at it with that version`,
    )
  }
  return version
}
