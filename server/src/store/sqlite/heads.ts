/**
 * The origins the log holds and their heads, as the last commit left them. Kept in memory
 * (O(origins)) and read again from the tables whenever a write failed, so that what it says is
 * never ahead of the disk.
 */
import type { Database, Statement } from "better-sqlite3"
import { parseOriginId } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { emptyHead, genesisHash } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import { StoreOpenError } from "../errors.ts"
import { entryId, lastEntryId, ORIGIN_ROWS_MAX, seqOf } from "./schema.ts"
import { hashOf, saltOf } from "../seal.ts"
import { unsealFloor } from "../snapshot-seal.ts"

/** An origin's row and head; one object per origin, replaced whole. */
export type HeldOrigin = {
  readonly origin: OriginId
  /** Where its checksums start from (seal.ts). */
  readonly salt: number
  readonly row: number
  readonly head: Head
  /** Where the log begins: what is at it and below is in snapshots, or left as it is not folded. */
  readonly floor: Head
  /** False if the floor's hash is not what was written. */
  readonly isFloorSound: boolean
}

type OriginRow = {
  readonly id: number
  readonly origin: string
  readonly floor: number
  readonly hash: Buffer | null
}
type HeadRow = { readonly id: number; readonly entry: Buffer }

export class HeldOrigins {
  readonly #all: Statement<[], OriginRow>
  readonly #last: Statement<[number, number], HeadRow>
  readonly #insert: Statement<[string]>
  readonly #remove: Statement<[number]>
  #byOrigin = new Map<string, HeldOrigin>()

  constructor(database: Database) {
    this.#all = database.prepare(
      "SELECT id, origin, floor, floor_hash AS hash FROM origins ORDER BY id",
    )
    this.#last = database.prepare(
      "SELECT id, entry FROM entries WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1",
    )
    this.#insert = database.prepare("INSERT INTO origins (origin) VALUES (?)")
    this.#remove = database.prepare("DELETE FROM origins WHERE id = ?")
    this.reload()
  }

  /** O(origins × log entries). */
  reload(): void {
    this.#byOrigin = new Map()
    for (const row of this.#all.all()) {
      const origin = parseOriginId(row.origin)
      if (origin === undefined) throw new StoreOpenError("failed", `bad origin in row ${row.id}`)
      const by = { origin, salt: saltOf(origin) }
      const hash = row.hash === null ? undefined : unsealFloor(by, row.floor, row.hash)
      const floor = { seq: row.floor, hash: hash ?? genesisHash }
      const isFloorSound = row.floor === 0 || hash !== undefined
      this.set({ ...by, row: row.id, head: this.#headOf(row.id, floor), floor, isFloorSound })
    }
  }

  #headOf(row: number, floor: Head): Head {
    const last = this.#last.get(entryId(row, floor.seq), lastEntryId(row))
    if (last === undefined) return floor
    return { seq: seqOf(last.id), hash: new Uint8Array(hashOf(last.entry)) }
  }

  get(origin: string): HeldOrigin | undefined {
    return this.#byOrigin.get(origin)
  }

  set(held: HeldOrigin): void {
    this.#byOrigin.set(held.origin, held)
  }

  /** Inserts a row for a new origin, inside the caller's transaction; `set` makes it known. */
  insert(origin: OriginId): HeldOrigin {
    const row = Number(this.#insert.run(origin).lastInsertRowid)
    if (row > ORIGIN_ROWS_MAX) throw new Error(`more than ${ORIGIN_ROWS_MAX} origins`)
    const floor = emptyHead
    return { origin, salt: saltOf(origin), row, head: floor, floor, isFloorSound: true }
  }

  /** Removes the row of an origin without entries, inside the caller's transaction. */
  remove({ row }: HeldOrigin): void {
    this.#remove.run(row)
  }

  all(): HeldOrigin[] {
    return [...this.#byOrigin.values()]
  }
}
