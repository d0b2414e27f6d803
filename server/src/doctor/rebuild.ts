/**
 * Writes a damaged database anew: every row of every table that can be read, in a new file that
 * takes the old one's place; the old one stays beside it under another name. What the rows say is
 * judged afterwards, by the opening in doubt that follows. Rule [B7].
 */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync } from "node:fs"
import { renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { nodeOfOrigin, parseOriginId } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { BOOT_FILE } from "../store/boot-record.ts"
import { syncDirectory } from "../store/directory.ts"
import { isSound, saltOf } from "../store/seal.ts"
import {
  APPLICATION_ID,
  DATABASE_FILE,
  entryId,
  lastEntryId,
  ORIGIN_ROWS_MAX,
  SCHEMA_VERSION,
  schemaSql,
  seqOf,
} from "../store/sqlite/schema.ts"
import { RawDatabase } from "./raw-database.ts"

const tables = ["meta", "origins", "documents", "entries", "clients"]
/** How meta's keys of cut origins begin. */
const CUT = "cut "
/** Entries that are looked at to tell whose they are. */
const ownerTriesMax = 64
/** Rows in one transaction of the new file. */
const batchRows = 10_000

/** Gives the name under which the damaged file is kept. @throws StoreOpenError */
export function rebuildDatabase(directory: string, stamp: string): string {
  const staged = join(directory, `${DATABASE_FILE}.repaired`)
  rmSync(staged, { force: true })
  const raw = new RawDatabase(directory)
  try {
    const rebuilt = new Database(staged)
    try {
      new Rebuilding(raw, rebuilt, directory).run()
    } finally {
      rebuilt.close()
    }
  } finally {
    raw.close()
  }
  return exchange(directory, staged, stamp)
}

type Named = { readonly id: number; readonly origin: string }

class Rebuilding {
  readonly #raw: RawDatabase
  readonly #to: Database.Database
  readonly #directory: string

  constructor(raw: RawDatabase, to: Database.Database, directory: string) {
    this.#raw = raw
    this.#to = to
    this.#directory = directory
  }

  run(): void {
    // Has to stand before the first page does.
    this.#to.pragma("auto_vacuum = INCREMENTAL")
    this.#to.pragma("journal_mode = OFF")
    this.#to.pragma("synchronous = OFF")
    const { sql, version } = this.#schema()
    this.#to.exec(sql)
    this.#to.pragma(`application_id = ${APPLICATION_ID}`)
    this.#to.pragma(`user_version = ${version}`)
    const select = this.#to.prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    for (const { name } of select.all()) if (name !== "entries") this.#copyTable(name)
    this.#nameOrigins()
    this.#fixIdentity()
    this.#copyEntries()
  }

  /** As the old file has it; where that can't be read, as this version makes it. */
  #schema(): { readonly sql: string; readonly version: number } {
    let isWhole = true
    const rows = this.#raw.rows<{ sql: string }>(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
      () => (isWhole = false),
    )
    const statements = [...rows].map(({ sql }) => `${sql};`)
    isWhole &&= tables.every((name) =>
      statements.some((sql) => new RegExp(`^CREATE TABLE "?${name}"?\\b`).test(sql)),
    )
    return isWhole
      ? { sql: statements.join("\n"), version: this.#raw.format }
      : { sql: schemaSql, version: SCHEMA_VERSION }
  }

  /** Rows from the front to where it can't be read, then from the back. */
  #copyTable(table: string): void {
    if (!this.#raw.hasTable(table)) return
    let isWhole = true
    const forwards = this.#raw.rows<object>(`SELECT * FROM ${table}`, () => (isWhole = false))
    this.#insert(table, forwards)
    if (isWhole) return
    const backwards = `SELECT * FROM ${table} ORDER BY ${this.#keyOf(table)} DESC`
    this.#insert(
      table,
      this.#raw.rows<object>(backwards, () => {}),
    )
  }

  #keyOf(table: string): string {
    // cast: the pragma answers with a row for each column.
    const columns = this.#to.pragma(`table_info(${table})`) as { name: string; pk: number }[]
    return columns.find(({ pk }) => pk === 1)?.name ?? "rowid"
  }

  #insert(table: string, rows: Iterable<object>): void {
    let insert: Database.Statement<[object]> | undefined
    this.#to.exec("BEGIN")
    for (const row of rows) {
      const columns = Object.keys(row)
      insert ??= this.#to.prepare<[object]>(
        `INSERT OR IGNORE INTO ${table} (${columns.join(", ")}) ` +
          `VALUES (${columns.map((column) => `@${column}`).join(", ")})`,
      )
      insert.run(row)
    }
    this.#to.exec("COMMIT")
  }

  /**
   * An origin whose row is gone, or damaged, may be one of those named elsewhere: its entries'
   * checksums tell.
   */
  #nameOrigins(): void {
    const names = new Map(
      this.#to
        .prepare<[], Named>("SELECT id, origin FROM origins")
        .all()
        .map(({ id, origin }) => [id, origin]),
    )
    const candidates = [...this.#candidates()]
    const put = this.#to.prepare(
      "INSERT INTO origins (id, origin) VALUES (?, ?) " +
        "ON CONFLICT (id) DO UPDATE SET origin = excluded.origin",
    )
    const remove = this.#to.prepare("DELETE FROM origins WHERE id = ?")
    for (const row of this.#rowsWithEntries(names.keys())) {
      const name = names.get(row)
      const named = name === undefined ? undefined : parseOriginId(name)
      const owner = this.#ownerOf(row, named === undefined ? candidates : [named, ...candidates])
      if (owner !== undefined && owner !== name) put.run(row, owner)
      else if (name !== undefined && named === undefined) remove.run(row)
    }
  }

  /** Rows of origins: those that are there, and those that entries tell, as far as they read. */
  #rowsWithEntries(named: Iterable<number>): number[] {
    const sql = "SELECT DISTINCT id / 1099511627776 AS id FROM entries NOT INDEXED"
    const rows = new Set(named)
    for (const { id } of this.#raw.rows<{ id: number }>(sql, () => {})) rows.add(id)
    return [...rows].filter((row) => row > 0 && row <= ORIGIN_ROWS_MAX)
  }

  /** Origins that are named beside their table. */
  #candidates(): Set<OriginId> {
    const candidates = new Set<OriginId>()
    for (const { key, value } of this.#meta()) {
      const origin = parseOriginId(key.startsWith(CUT) ? key.slice(CUT.length) : value)
      if (origin !== undefined) candidates.add(origin)
    }
    const origin = bootFileOrigin(this.#directory)
    if (origin !== undefined) candidates.add(origin)
    return candidates
  }

  #meta(): { key: string; value: string }[] {
    return this.#to.prepare<[], { key: string; value: string }>("SELECT * FROM meta").all()
  }

  /** Whose it is, if that can still be told; else it becomes a new node's. */
  #fixIdentity(): void {
    const held = new Set(
      this.#to
        .prepare<[], Named>("SELECT id, origin FROM origins")
        .all()
        .map(({ origin }) => origin),
    )
    const meta = new Map(this.#meta().map(({ key, value }) => [key, value]))
    const told = [parseOriginId(meta.get("origin") ?? ""), bootFileOrigin(this.#directory)]
    const own = told.find((origin) => origin !== undefined && held.has(origin)) ?? told[0]
    const put = this.#to.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
    const remove = this.#to.prepare("DELETE FROM meta WHERE key = ?")
    if (own === undefined) for (const key of ["node", "origin"]) remove.run(key)
    else {
      put.run("origin", own)
      put.run("node", nodeOfOrigin(own))
      this.#to.prepare("INSERT OR IGNORE INTO origins (origin) VALUES (?)").run(own)
    }
    for (const key of meta.keys()) {
      if (key.startsWith(CUT) && parseOriginId(key.slice(CUT.length)) === undefined) remove.run(key)
    }
  }

  #ownerOf(row: number, candidates: readonly OriginId[]): OriginId | undefined {
    let tries = 0
    for (const found of this.#raw.entries(entryId(row, 1), lastEntryId(row))) {
      tries += 1
      if (tries > ownerTriesMax) return undefined
      if (!("entry" in found)) continue
      const { id, entry } = found
      const owner = candidates.find((origin) =>
        isSound({ origin, salt: saltOf(origin) }, seqOf(id), entry),
      )
      if (owner !== undefined) return owner
    }
    return undefined
  }

  /** Entries of origins that have a name; without one nothing can be checked or used. */
  #copyEntries(): void {
    const rows = this.#to.prepare<[], { id: number }>("SELECT id FROM origins ORDER BY id").all()
    const insert = this.#to.prepare(
      "INSERT OR IGNORE INTO entries (id, document, entry) VALUES (?, ?, ?)",
    )
    for (const { id: row } of rows) {
      let count = 0
      this.#to.exec("BEGIN")
      for (const found of this.#raw.entries(entryId(row, 0), lastEntryId(row))) {
        if (!("entry" in found) || typeof found.document !== "number") continue
        insert.run(found.id, found.document, found.entry)
        count += 1
        if (count % batchRows === 0) this.#to.exec("COMMIT; BEGIN")
      }
      this.#to.exec("COMMIT")
    }
  }
}

/**
 * Puts the new file in the place of the old one. The boot record goes first: whatever is there
 * after a crash in between is opened in doubt. The old write-ahead log must not meet the new file.
 */
function exchange(directory: string, staged: string, stamp: string): string {
  const descriptor = openSync(staged, "r+")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  const file = join(directory, DATABASE_FILE)
  const kept = `${file}.damaged-${stamp}`
  for (const suffix of ["", "-wal"]) {
    if (existsSync(file + suffix)) linkSync(file + suffix, kept + suffix)
  }
  rmSync(join(directory, BOOT_FILE), { force: true })
  syncDirectory(directory)
  for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true })
  syncDirectory(directory)
  renameSync(staged, file)
  syncDirectory(directory)
  return kept
}

/** The origin that the boot record names, whichever opening it is of. */
function bootFileOrigin(directory: string): OriginId | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, BOOT_FILE), "utf8"))
    if (typeof value !== "object" || value === null || !("origin" in value)) return undefined
    return typeof value.origin === "string" ? parseOriginId(value.origin) : undefined
  } catch {
    return undefined
  }
}
