/**
 * Searches over the whole log: which documents changed since a vector, and what compaction can work
 * on. Each call looks at a bounded number of rows; what it did not get to, the next one does.
 * Rule [K4].
 */
import type { Database, Statement } from "better-sqlite3"
import { assert, parseDocumentId } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { compareDocuments } from "@causeway/crdt/log"
import type { ReadReply } from "../thread/messages.ts"
import type { Seqs } from "../thread/snapshot-messages.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import type { Snapshots } from "./snapshots.ts"

/** Past so many rows that changed, documents are gone through by name instead. */
const changedRowsMax = 20_000
/** Documents that one page goes through by name. */
const walkedMax = 2000
/** Entries that one search for what can be folded looks at, per origin and in all. */
const foldableRowsMax = 4096
const foldableRowsInAllMax = 32_768

type DocumentRow = { readonly id: number; readonly document: string }
type FoldableRow = readonly [id: number, document: number, isFolded: 0 | 1]

export class Searches {
  readonly #origins: HeldOrigins
  readonly #snapshots: Snapshots
  readonly #database: Database
  readonly #changedEntries: Statement<[number, number], number>
  readonly #changedFolded: Statement<[number, number], number>
  readonly #nameOf: Statement<[number], string>
  readonly #behind: Statement<[string], DocumentRow>
  readonly #lastOf: Statement<[number, number, number], number>
  readonly #foldedOf: Statement<[number], readonly [origin: number, seq: number]>
  readonly #foldable: Statement<[number, number, number, number], FoldableRow>
  /** By origin row: everything up to here is folded, or of no document. */
  readonly #foldedTo = new Map<number, number>()

  constructor(database: Database, origins: HeldOrigins, snapshots: Snapshots) {
    this.#database = database
    this.#origins = origins
    this.#snapshots = snapshots
    this.#changedEntries = database
      .prepare<[number, number], number>("SELECT document FROM entries WHERE id > ? AND id <= ?")
      .pluck()
    this.#changedFolded = database
      .prepare<[number, number], number>("SELECT document FROM folded WHERE origin = ? AND seq > ?")
      .pluck()
    this.#nameOf = database
      .prepare<[number], string>("SELECT document FROM documents WHERE id = ?")
      .pluck()
    this.#behind = database.prepare(
      `SELECT id, document FROM documents WHERE document > ? ORDER BY document LIMIT ${walkedMax}`,
    )
    this.#lastOf = database
      .prepare<[number, number, number], number>(
        "SELECT id FROM entries WHERE document = ? AND id > ? AND id <= ? ORDER BY id DESC LIMIT 1",
      )
      .pluck()
    this.#foldedOf = database
      .prepare<[number], readonly [number, number]>(
        "SELECT origin, seq FROM folded WHERE document = ?",
      )
      .raw()
    this.#foldable = database
      .prepare<[number, number, number, number], FoldableRow>(
        `SELECT id, document, EXISTS (
           SELECT 1 FROM folded WHERE folded.document = entries.document
           AND folded.origin = ? AND folded.seq >= entries.id - ?
         ) FROM entries WHERE id > ? AND id <= ? ORDER BY id`,
      )
      .raw()
  }

  /** O(rows that changed) for each page, or O(documents) for all of them together. */
  changed(since: VersionVector, after: DocumentId | undefined, limit: number): ReadReply {
    const rows = this.#changedRows(since)
    if (rows === undefined) return this.#walk(since, after, limit)
    const behind = [...rows]
      .map((id) => ({ id, document: this.#document(this.#nameOf.get(id)) }))
      .filter(({ document }) => after === undefined || compareDocuments(document, after) > 0)
      .sort((left, right) => compareDocuments(left.document, right.document))
    const page = behind.slice(0, limit)
    return {
      type: "changed",
      documents: page.map(({ id, document }) => [document, this.#vectorOf(id).entries()] as const),
      next: behind.length > limit ? page.at(-1)?.document : undefined,
    }
  }

  #document(text: string | undefined): DocumentId {
    const document = text === undefined ? undefined : parseDocumentId(text)
    assert(document !== undefined, () => `a row of documents names none: ${text}`)
    return document
  }

  /** The rows of documents that changed; undefined if that takes too long. */
  #changedRows(since: VersionVector): ReadonlySet<number> | undefined {
    const rows = new Set<number>()
    let left = changedRowsMax
    // Seqs have no gaps: told without looking at any row.
    for (const { origin, floor, head } of this.#origins.all()) {
      left -= Math.max(0, head.seq - Math.max(floor.seq, since.get(origin)))
    }
    if (left < 0) return undefined
    left = changedRowsMax
    for (const held of this.#origins.all()) {
      const covered = since.get(held.origin)
      // One at a time: a search that was begun and not ended keeps the database busy.
      const searches = [
        () => this.#changedEntries.iterate(entryId(held.row, covered), lastEntryId(held.row)),
        () => this.#changedFolded.iterate(held.row, covered),
      ]
      for (const search of searches) {
        for (const row of search()) {
          left -= 1
          if (left < 0) return undefined
          if (row !== NO_DOCUMENT_ROW) rows.add(row)
        }
      }
    }
    return rows
  }

  #walk(since: VersionVector, after: DocumentId | undefined, limit: number): ReadReply {
    const documents: [DocumentId, Seqs][] = []
    const rows = this.#behind.all(after ?? "")
    for (const [index, { id, document: text }] of rows.entries()) {
      const document = this.#document(text)
      const vector = this.#vectorOf(id)
      if (!since.coversAll(vector)) documents.push([document, vector.entries()])
      const isLast = index === rows.length - 1 && rows.length < walkedMax
      if (documents.length === limit && !isLast)
        return { type: "changed", documents, next: document }
    }
    const next = rows.length < walkedMax ? undefined : this.#document(rows.at(-1)?.document)
    return { type: "changed", documents, next }
  }

  /** O(origins × log entries). */
  #vectorOf(document: number): VersionVector {
    const vector = new VersionVector()
    const folded = new Map(this.#foldedOf.all(document))
    for (const { origin, row } of this.#origins.all()) {
      const last = this.#lastOf.get(document, entryId(row, 0), lastEntryId(row))
      const seq = Math.max(folded.get(row) ?? 0, last === undefined ? 0 : seqOf(last))
      if (seq > 0) vector.raise(origin, seq)
    }
    return vector
  }

  /** The log is not what it was, as a write failed: what was found out may be wrong. */
  forget(): void {
    this.#foldedTo.clear()
  }

  foldable(upTo: Seqs, limit: number): ReadReply {
    const documents = new Set<number>()
    const floors: [OriginId, number][] = []
    let left = foldableRowsInAllMax
    for (const [origin, seqMax] of upTo) {
      const held = this.#origins.get(origin)
      if (held === undefined || left <= 0) continue
      const end = Math.min(seqMax, held.head.seq)
      const from = Math.max(held.floor.seq, this.#foldedTo.get(held.row) ?? 0)
      const rowsMax = Math.min(left, foldableRowsMax)
      const found = this.#lookThrough(held, { from, end, rowsMax }, documents, limit)
      if (found === undefined) {
        const message = `an entry of ${origin} behind ${from} is missing`
        return { type: "failed", code: "corrupt", message }
      }
      left -= found.rows
      this.#foldedTo.set(held.row, Math.max(found.foldedTo, this.#foldedTo.get(held.row) ?? 0))
      const floor = Math.min(found.foldedTo, end)
      if (floor > held.floor.seq) floors.push([origin, floor])
    }
    return {
      type: "foldable",
      documents: [...documents].map((row) => this.#document(this.#nameOf.get(row))),
      floors,
      ...this.#sizes(),
    }
  }

  /** Undefined if an entry is missing: then there is no going on before an opening in doubt. */
  #lookThrough(
    held: HeldOrigin,
    { from, end, rowsMax }: { from: number; end: number; rowsMax: number },
    documents: Set<number>,
    limit: number,
  ): { readonly foldedTo: number; readonly rows: number } | undefined {
    const base = entryId(held.row, 0)
    let foldedTo = from
    let seq = from
    let rows = 0
    if (from >= end) return { foldedTo, rows }
    for (const [id, document, isFolded] of this.#foldable.iterate(
      held.row,
      base,
      base + from,
      base + end,
    )) {
      seq += 1
      rows += 1
      if (seqOf(id) !== seq) return undefined
      const isDone = document === NO_DOCUMENT_ROW || isFolded === 1
      if (isDone && foldedTo === seq - 1) foldedTo = seq
      if (!isDone && documents.size < limit) documents.add(document)
      if (rows >= rowsMax || (foldedTo < seq && documents.size >= limit)) break
    }
    return { foldedTo, rows }
  }

  #sizes(): { readonly logBytes: number; readonly snapshotBytes: number } {
    const pages = this.#pragma("page_count") - this.#pragma("freelist_count")
    const snapshotBytes = this.#snapshots.bytes()
    return {
      logBytes: Math.max(0, pages * this.#pragma("page_size") - snapshotBytes),
      snapshotBytes,
    }
  }

  #pragma(name: string): number {
    return Number(this.#database.pragma(name, { simple: true }))
  }
}
