/**
 * Floors: where each origin's log begins. What is folded and below one is deleted; what only looks
 * so is not (rule [K2]). Clients' numbers that entries told are kept beside (`below`). All of it
 * happens inside the caller's transaction.
 */
import type { Database, Statement } from "better-sqlite3"
import { DecodeError, Reader } from "@causeway/crdt/base"
import type { ClientId } from "@causeway/crdt/base"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import { RefusedError } from "../errors.ts"
import { hashOf, isSound, RECORD_OFFSET } from "../seal.ts"
import { sealFloor } from "../snapshot-seal.ts"
import type { HeldOrigin } from "./heads.ts"
import { entryId, NO_DOCUMENT_ROW } from "./schema.ts"

type EntryRow = readonly [id: number, entry: Buffer]

/** So many entries are in memory at a time; deleted one by one, as they may be big. */
const rowsMax = 256

const isFolded = `EXISTS (
  SELECT 1 FROM folded WHERE folded.document = entries.document
  AND folded.origin = @origin AND folded.seq >= entries.id - @base)`
const ofDocument = `entries.document <> ${NO_DOCUMENT_ROW}`

type Range = {
  readonly origin: number
  /** The key of the origin's seq 0. */
  readonly base: number
  readonly after: number
  readonly to: number
}

export class Truncation {
  readonly #unfolded: Statement<[Range], { id: number }>
  readonly #folded: Statement<[Range], EntryRow>
  readonly #foldedOfDocument: Statement<[Range & { document: number }], EntryRow>
  readonly #entry: Statement<[number], { entry: Buffer }>
  readonly #delete: Statement<[number]>
  readonly #setFloor: Statement<[number, Buffer | null, number]>
  readonly #setBelow: Statement<[number, Buffer]>

  constructor(database: Database) {
    const range = "entries.id > @after AND entries.id <= @to"
    this.#unfolded = database.prepare(
      `SELECT id FROM entries WHERE ${range} AND ${ofDocument} AND NOT ${isFolded} LIMIT 1`,
    )
    const select = "SELECT id, entry FROM entries WHERE"
    const order = `${range} AND ${isFolded} ORDER BY id LIMIT ${rowsMax}`
    this.#folded = database.prepare<[Range], EntryRow>(`${select} ${ofDocument} AND ${order}`).raw()
    this.#foldedOfDocument = database
      .prepare<[Range & { document: number }], EntryRow>(
        `${select} entries.document = @document AND ${order}`,
      )
      .raw()
    this.#entry = database.prepare("SELECT entry FROM entries WHERE id = ?")
    this.#delete = database.prepare("DELETE FROM entries WHERE id = ?")
    this.#setFloor = database.prepare("UPDATE origins SET floor = ?, floor_hash = ? WHERE id = ?")
    this.#setBelow = database.prepare(
      "UPDATE clients SET below = max(below, ?) WHERE client = ? AND below < seq",
    )
  }

  /** @throws RefusedError if something up to there is not folded. */
  checkFolded(held: HeldOrigin, seq: number): void {
    if (this.#unfolded.get(rangeOf(held, held.floor.seq, seq)) === undefined) return
    throw new RefusedError(`a floor over what is not folded, of ${held.origin}`)
  }

  /** O(entries deleted). @throws RefusedError */
  truncate(held: HeldOrigin, seq: number): HeldOrigin {
    if (seq <= held.floor.seq) return held
    this.checkFolded(held, seq)
    const entry = this.#entry.get(entryId(held.row, seq))?.entry
    if (entry === undefined || !isSound(held, seq, entry)) {
      throw new Error(`entry ${seq} of ${held.origin} failed its checksum`)
    }
    return this.#moveFloor(held, { seq, hash: new Uint8Array(hashOf(entry)) })
  }

  /** The head moves without entries, and the floor with it; no news changes nothing. */
  raise(held: HeldOrigin, head: Head): HeldOrigin {
    if (head.seq <= held.head.seq) return held
    return { ...this.#moveFloor(held, head), head }
  }

  #moveFloor(held: HeldOrigin, floor: Head): HeldOrigin {
    const range = rangeOf(held, held.floor.seq, floor.seq)
    this.#deleteAll(range, (rest) => this.#folded.all(rest))
    this.#setFloor.run(floor.seq, sealFloor(held, floor), held.row)
    return { ...held, floor, isFloorSound: true }
  }

  /** What a document's new snapshot holds and is below floors. O(entries deleted + origins). */
  dropFolded(document: number, origins: readonly HeldOrigin[]): void {
    for (const held of origins) {
      if (held.floor.seq === 0) continue
      const range = rangeOf(held, 0, held.floor.seq)
      this.#deleteAll(range, (rest) => this.#foldedOfDocument.all({ ...rest, document }))
    }
  }

  #deleteAll(range: Range, next: (rest: Range) => readonly EntryRow[]): void {
    const below = new Map<ClientId, number>()
    let rest: Range | undefined = range
    while (rest !== undefined) {
      const rows = next(rest)
      for (const [id, entry] of rows) {
        const author = authorOf(entry)
        if (author !== undefined && author.seq > (below.get(author.client) ?? 0)) {
          below.set(author.client, author.seq)
        }
        this.#delete.run(id)
      }
      const last = rows.at(-1)
      rest = last === undefined || rows.length < rowsMax ? undefined : { ...rest, after: last[0] }
    }
    for (const [client, seq] of below) this.#setBelow.run(seq, Buffer.from(client, "hex"))
  }

  /** The log of an origin that was cut below its floor begins at its beginning again. */
  forgetFloor(held: HeldOrigin): void {
    this.#setFloor.run(0, null, held.row)
  }
}

function rangeOf({ row }: HeldOrigin, after: number, to: number): Range {
  const base = entryId(row, 0)
  return { origin: row, base, after: base + after, to: base + to }
}

/** Of a damaged record none: what it was, the snapshot holds. */
function authorOf(entry: Buffer) {
  try {
    return decodeRecordHead(new Reader(entry.subarray(RECORD_OFFSET))).author
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
