/**
 * Renews a log in doubt, as MemoryLog's `renew` does: each origin ends where it can no longer be
 * trusted, what is readable behind that moves to the fresh own origin, and where records may be
 * damaged the whole log is looked through, checksums and chain hashes, O(log). All of it happens
 * inside the caller's transaction. Rules [E1] [E3] [E4].
 */
import type { Database, Statement } from "better-sqlite3"
import { bytesEqual, DecodeError } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { cutRecord, decodeRecord, isOfAnother, relogged, Renewing } from "@causeway/crdt/log"
import type { Cut, RecordFields, Renewal } from "@causeway/crdt/log"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import { PagesError } from "../errors.ts"
import { hashOf, isSound, RECORD_OFFSET, seal } from "../seal.ts"
import { forgetSide } from "./side.ts"
import { SnapshotRenewal } from "./snapshot-renewal.ts"
import type { Snapshots } from "./snapshots.ts"
import { Truncation } from "./truncation.ts"

/** A long scan says how far it is this often. */
const progressMs = 5000

export type RenewalPlan = {
  /** The own origin from now on: a fresh one, or for a fork of another origin the same. */
  readonly own: OriginId
  /** Where an origin ends at the latest, for a fork. */
  readonly cut: Cut
  /** Whether any record may be damaged. */
  readonly isScan: boolean
}

/** The own log as it stands from now on. */
type Renewed = Renewal & { readonly own: HeldOrigin }

type EntryRow = readonly [id: number, document: number, entry: Buffer]

export class LogRenewal {
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #onProgress: (message: string) => void
  readonly #database: Database
  readonly #snapshots: SnapshotRenewal
  readonly #truncation: Truncation
  readonly #all: Statement<[number, number], EntryRow>
  readonly #next: Statement<[number, number], EntryRow>
  readonly #insert: Statement<[number, number, Buffer]>
  readonly #move: Statement<[number, number]>
  readonly #delete: Statement<[number, number]>
  readonly #renewing = new Renewing()
  /** The highest number of each client among what stays with its author. */
  readonly #clients = new Map<ClientId, number>()
  /** Entries that stand under another document than their record names. */
  readonly #misplaced: { readonly id: number; readonly document: DocumentId | undefined }[] = []
  #salvaged = 0
  #scanned = 0
  #saidMs = performance.now()

  constructor(
    database: Database,
    parts: {
      readonly origins: HeldOrigins
      readonly documents: DocumentRows
      readonly snapshots: Snapshots
    },
    onProgress: (message: string) => void,
  ) {
    this.#database = database
    this.#origins = parts.origins
    this.#documents = parts.documents
    this.#onProgress = onProgress
    this.#snapshots = new SnapshotRenewal(database, parts, this.#renewing)
    this.#truncation = new Truncation(database)
    const select = "SELECT id, document, entry FROM entries WHERE id > ? AND id <= ? ORDER BY id"
    this.#all = database.prepare<[number, number], EntryRow>(select).raw()
    this.#next = database.prepare<[number, number], EntryRow>(`${select} LIMIT 1`).raw()
    this.#insert = database.prepare("INSERT INTO entries (id, document, entry) VALUES (?, ?, ?)")
    this.#move = database.prepare("UPDATE entries SET document = ? WHERE id = ?")
    this.#delete = database.prepare("DELETE FROM entries WHERE id > ? AND id <= ?")
  }

  /** Heads in memory are those of before until they are reloaded. */
  run({ own: ownOrigin, cut, isScan }: RenewalPlan): Renewed {
    forgetSide(this.#database)
    // An index that lacks an entry would fail the deletion of that entry.
    if (isScan) {
      this.#database.exec("REINDEX entries_by_document")
      this.#snapshots.scan()
    }
    let own = this.#origins.get(ownOrigin) ?? this.#origins.insert(ownOrigin)
    let kept = 0
    let isCut = false
    const all = this.#origins.all().toSorted((left, right) => (left.origin < right.origin ? -1 : 1))
    for (const held of all) {
      const keepMax = held.origin === cut.origin ? cut.keepSeq : Infinity
      const keep = this.#keepOf(held, Math.min(keepMax, held.head.seq), isScan)
      if (keep < held.head.seq) own = this.#moveTail(held, keep, own)
      if (keep < held.floor.seq) this.#truncation.forgetFloor(held)
      if (held.origin !== cut.origin) continue
      kept = keep
      isCut = cut.keepSeq < held.head.seq
      if (cut.keepSeq < held.floor.seq) this.#snapshots.restateFrom(held, cut.keepSeq + 1)
    }
    this.#snapshots.restate((document, record) => {
      own = this.#logRecord(own, record, document)
      this.#salvaged += 1
    })
    if (isCut) this.#lowerFolded(cut)
    if (kept === 0) this.#forgetEmpty(cut.origin)
    const done = isCut ? { origin: cut.origin, keepSeq: kept } : undefined
    if (done !== undefined) own = this.#logRecord(own, cutRecord(done))
    if (isScan) this.#writeAgain()
    return { ...this.#renewing.finish(this.#salvaged, done), own }
  }

  #lowerFolded({ origin, keepSeq }: Cut): void {
    const held = this.#origins.get(origin)
    if (held !== undefined) this.#snapshots.lowerFolded(held, keepSeq)
  }

  #forgetEmpty(origin: OriginId): void {
    const held = this.#origins.get(origin)
    if (held !== undefined && !this.#snapshots.isHeld(held)) this.#origins.remove(held)
  }

  /** Nothing between the beginning and the floor can be an end: no hash of the chain is there. */
  #keepOf(held: HeldOrigin, keepMax: number, isScan: boolean): number {
    if (isScan) return this.#scan(held, keepMax)
    return keepMax < held.floor.seq ? 0 : keepMax
  }

  /**
   * How far `held` is sound and chained, up to `keepMax`; 0 if that is below its floor, as no hash
   * of the chain is there.
   */
  #scan(held: HeldOrigin, keepMax: number): number {
    const { floor } = held
    if (keepMax < floor.seq || !held.isFloorSound || this.#snapshots.gone.has(held.origin)) return 0
    if (!this.#scanLeft(held)) return 0
    let { seq, hash } = floor
    const range = [entryId(held.row, floor.seq), lastEntryId(held.row)] as const
    for (const [id, documentRow, entry] of this.#all.iterate(...range)) {
      const fields = readable(held, id, entry)
      if (seq >= keepMax || seqOf(id) !== seq + 1 || fields === undefined) break
      const sealed = seal(hash, held, seq + 1, entry.subarray(RECORD_OFFSET))
      if (!bytesEqual(sealed.hash, hashOf(entry))) break
      hash = hashOf(entry)
      seq += 1
      this.#noteSound(id, documentRow, fields)
    }
    return seq
  }

  /** Whether all that is left below the floor is sound; only then it counts. */
  #scanLeft(held: HeldOrigin): boolean {
    const range = [entryId(held.row, 0), entryId(held.row, held.floor.seq)] as const
    for (const [id, , entry] of this.#all.iterate(...range)) {
      if (readable(held, id, entry) === undefined) return false
    }
    for (const [id, documentRow, entry] of this.#all.iterate(...range)) {
      const fields = readable(held, id, entry)
      if (fields !== undefined) this.#noteSound(id, documentRow, fields)
    }
    return true
  }

  #noteSound(id: number, documentRow: number, fields: RecordFields): void {
    this.#noteAuthor(fields)
    const document = documentOf(fields)
    if (this.#rowOf(document) !== documentRow) this.#misplaced.push({ id, document })
    this.#sayProgress()
  }

  /** Moves what is readable behind `keep` to the end of `own`. One by one: entries may be big. */
  #moveTail(held: HeldOrigin, keep: number, own: HeldOrigin): HeldOrigin {
    const end = lastEntryId(held.row)
    let reached = own
    let seq = keep
    let hasLost = this.#snapshots.gone.has(held.origin)
    for (;;) {
      const row = this.#next.get(entryId(held.row, seq), end)
      if (row === undefined) break
      const [id, , entry] = row
      // A page whose keys are out of order leads back: the same would be logged without end.
      if (seqOf(id) <= seq) throw new PagesError(`keys of ${held.origin} are out of order`)
      // What is not there up to the floor was folded.
      const next = Math.max(seq, held.floor.seq) + 1
      const missing = Math.max(0, seqOf(id) - next)
      if (missing > 0) this.#lose(held, next, missing)
      seq = seqOf(id)
      const fields = readable(held, id, entry)
      if (fields === undefined) this.#lose(held, seq)
      hasLost ||= missing > 0 || fields === undefined
      if (fields !== undefined && !isOfAnother(own.origin, held.origin, recordOf(entry))) {
        reached = this.#log(reached, fields, entry, hasLost)
      }
      this.#sayProgress()
    }
    this.#delete.run(entryId(held.row, keep), end)
    return reached
  }

  #lose(held: HeldOrigin, seq: number, count = 1): void {
    this.#renewing.lose({ origin: held.origin, seq }, count)
    if (seq > held.floor.seq) this.#snapshots.restateFrom(held, seq)
  }

  #log(own: HeldOrigin, fields: RecordFields, entry: Buffer, hasLost: boolean): HeldOrigin {
    const record = relogged(recordOf(entry), hasLost)
    if (!hasLost) this.#noteAuthor(fields)
    this.#salvaged += 1
    return this.#logRecord(own, record, documentOf(fields))
  }

  #logRecord(own: HeldOrigin, record: Uint8Array, document?: DocumentId): HeldOrigin {
    const seq = own.head.seq + 1
    const sealed = seal(own.head.hash, own, seq, record)
    this.#insert.run(entryId(own.row, seq), this.#findOrInsert(document), sealed.entry)
    return { ...own, head: { seq, hash: new Uint8Array(sealed.hash) } }
  }

  #rowOf(document: DocumentId | undefined): number | undefined {
    return document === undefined ? NO_DOCUMENT_ROW : this.#documents.find(document)
  }

  #findOrInsert(document: DocumentId | undefined): number {
    return document === undefined ? NO_DOCUMENT_ROW : this.#documents.findOrInsert(document)
  }

  #noteAuthor(fields: RecordFields): void {
    const author = fields.kind === "update" ? fields.author : undefined
    if (author === undefined || author.seq <= (this.#clients.get(author.client) ?? 0)) return
    this.#clients.set(author.client, author.seq)
  }

  /** What is told from records alone: which document each is in, and each client's number. */
  #writeAgain(): void {
    for (const { id, document } of this.#misplaced) {
      this.#move.run(this.#findOrInsert(document), id)
    }
    // What a lost snapshot held, nobody knows any more.
    const below = this.#snapshots.gone.size > 0 ? "0" : "below"
    this.#database.exec(`UPDATE clients SET seq = ${below}, below = ${below}`)
    this.#database.exec("DELETE FROM clients WHERE seq = 0")
    const raise = this.#database.prepare(
      "INSERT INTO clients (client, seq) VALUES (?, ?) " +
        "ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)",
    )
    for (const [client, seq] of this.#clients) raise.run(Buffer.from(client, "hex"), seq)
  }

  #sayProgress(): void {
    this.#scanned += 1
    if (this.#scanned % 1024 !== 0 || performance.now() - this.#saidMs < progressMs) return
    this.#saidMs = performance.now()
    this.#onProgress(`looking through the log: ${this.#scanned} entries so far`)
  }
}

function recordOf(entry: Buffer): Uint8Array {
  return entry.subarray(RECORD_OFFSET)
}

function documentOf(fields: RecordFields): DocumentId | undefined {
  return fields.kind === "update" ? fields.document : undefined
}

/** The record of a stored entry, unless it is damaged. */
function readable(held: HeldOrigin, id: number, entry: Buffer): RecordFields | undefined {
  if (!isSound(held, seqOf(id), entry)) return undefined
  try {
    return decodeRecord(entry.subarray(RECORD_OFFSET))
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
