/**
 * Reads, every record checked before it leaves. A document with a record that fails can't be read,
 * as whoever got the rest would believe to have all of it; an origin read ends before it. Each one
 * is reported once. An opening in doubt puts both right.
 */
import type { Database, Statement } from "better-sqlite3"
import { limits } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { genesisHash, needsSnapshot, isClusterRecord, RecordPage } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"
import { VersionVector } from "@causeway/crdt/clock"
import type { DocumentRows } from "./documents.ts"
import type { FloorCheck } from "./floor-check.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { corrupt, EntryChecker, tooLarge } from "../entry-check.ts"
import { OriginRun } from "../origin-run.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { LogRequest, ReadReply, SideReply, UndocumentedRequest } from "../thread/messages.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import { Searches } from "./searches.ts"
import type { Snapshots } from "./snapshots.ts"
import { RECORD_OFFSET } from "../seal.ts"

type EntryRow = readonly [id: number, entry: Buffer]

export class LogReader {
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #snapshots: Snapshots
  readonly #floorCheck: FloorCheck
  readonly #searches: Searches
  readonly #checker: EntryChecker
  readonly #ofDocument: Statement<[number, number, number], EntryRow>
  readonly #ofOrigin: Statement<[number, number], EntryRow>
  readonly #client: Statement<[Buffer], { seq: number }>

  constructor(
    database: Database,
    parts: {
      readonly origins: HeldOrigins
      readonly documents: DocumentRows
      readonly snapshots: Snapshots
      readonly floorCheck: FloorCheck
    },
    onCorrupt: (origin: OriginId, seq: number) => void,
  ) {
    this.#origins = parts.origins
    this.#documents = parts.documents
    this.#snapshots = parts.snapshots
    this.#floorCheck = parts.floorCheck
    this.#searches = new Searches(database, parts.origins, parts.snapshots)
    this.#checker = new EntryChecker(onCorrupt)
    this.#ofDocument = database
      .prepare<[number, number, number], EntryRow>(
        "SELECT id, entry FROM entries WHERE document = ? AND id >= ? AND id <= ? ORDER BY id",
      )
      .raw()
    this.#ofOrigin = database
      .prepare<[number, number], EntryRow>(
        "SELECT id, entry FROM entries WHERE id >= ? AND id <= ? ORDER BY id",
      )
      .raw()
    this.#client = database.prepare("SELECT seq FROM clients WHERE client = ?")
  }

  /** What was found out by searching may be wrong, as a write failed. */
  forgetSearches(): void {
    this.#searches.forget()
  }

  read(request: LogRequest): ReadReply {
    switch (request.type) {
      case "document":
        return this.#readDocument(request.document, new VersionVector(request.since))
      case "origin":
        return this.#readOrigin(request.origin, request.fromSeq, request.bytesMax)
      case "client":
        return { type: "client", seq: this.#readClient(request.client) }
      case "changed":
        return this.#searches.changed(
          new VersionVector(request.since),
          request.after,
          request.limit,
        )
      case "foldable":
        return this.#searches.foldable(request.upTo, request.limit)
      case "sound-floors":
        return { type: "sound-floors", ...this.#floorCheck.soundFloors(request) }
    }
  }

  /** O(origins + entries read): one range of the index per origin. */
  #readDocument(document: DocumentId, since: VersionVector): ReadReply {
    const packer = new EntryPacker()
    const row = this.#documents.find(document)
    if (row === undefined) {
      return { type: "document", origins: [], bytes: packer.finish(), snapshot: undefined }
    }
    const snapshot = this.#snapshotFor(row, document, since)
    if (snapshot === "damaged") return corruptSnapshot(document)
    packer.recordBytes = snapshot?.state.length ?? 0
    const known = since.clone()
    if (snapshot !== undefined) known.raiseAll(snapshot.folded)
    const origins = this.#packEntries(packer, row, document, known)
    if (!Array.isArray(origins)) return origins
    const message =
      snapshot === undefined
        ? undefined
        : { state: new Uint8Array(snapshot.state), folded: snapshot.folded.entries() }
    return { type: "document", origins, bytes: packer.finish(), snapshot: message }
  }

  /** Gives the origins that the packed entries are of, or why there is no answer. */
  #packEntries(
    packer: EntryPacker,
    row: number,
    document: DocumentId,
    known: VersionVector,
  ): OriginId[] | ReadReply {
    const names: OriginId[] = []
    if (packer.recordBytes > limits.documentReadBytesMax) return tooLarge(document)
    for (const held of this.#origins.all()) {
      const covered = known.get(held.origin)
      if (covered >= held.head.seq) continue
      const from = entryId(held.row, covered + 1)
      for (const [id, entry] of this.#ofDocument.iterate(row, from, lastEntryId(held.row))) {
        if (!this.#check(held, id, entry)) return corrupt(held.origin, seqOf(id))
        if (names.at(-1) !== held.origin) names.push(held.origin)
        packer.push(names.length - 1, seqOf(id), entry.subarray(RECORD_OFFSET))
        if (packer.recordBytes > limits.documentReadBytesMax) return tooLarge(document)
      }
    }
    return names
  }

  /** The snapshot, if who has what `since` covers needs it. */
  #snapshotFor(
    row: number,
    document: DocumentId,
    since: VersionVector,
  ): { readonly state: Buffer; readonly folded: VersionVector } | "damaged" | undefined {
    const folded = this.#snapshots.folded(row, document)
    if (folded === undefined) return this.#snapshots.isLost(row) ? "damaged" : undefined
    if (folded === "damaged") return folded
    const isNeeded = since.size === 0 || needsSnapshot(folded, since, (of) => this.#range(of))
    if (!isNeeded) return undefined
    const state = this.#snapshots.state(row, document)
    return state === undefined ? "damaged" : { state, folded }
  }

  #range(origin: OriginId): { readonly floor: number; readonly head: number } {
    const held = this.#origins.get(origin)
    return { floor: held?.floor.seq ?? 0, head: held?.head.seq ?? 0 }
  }

  /** Entries of no document, sound and of a kind that is known. O(those entries). */
  clusterRecords(): LogEntry[] {
    const entries: LogEntry[] = []
    for (const held of this.#origins.all()) {
      for (const [id, entry] of this.#undocumented(held, 0)) {
        if (!this.#check(held, id, entry)) continue
        const found = undocumentedEntry(held, id, entry)
        if (isClusterRecord(found.record)) entries.push(found)
      }
    }
    return entries
  }

  /** A page of entries of no document. O(entries there). */
  undocumented({ since, after, ...bounds }: UndocumentedRequest): SideReply {
    const page = new RecordPage(bounds)
    const known = new VersionVector(since)
    // Rows are in the order in which origins came: that is another on each node.
    const origins = this.#origins.all().sort((one, other) => (one.origin < other.origin ? -1 : 1))
    for (const held of origins) {
      const { origin } = held
      if (after !== undefined && origin < after.origin) continue
      const behind = origin === after?.origin ? after.seq : 0
      for (const [id, entry] of this.#undocumented(held, Math.max(behind, known.get(origin)))) {
        if (!this.#check(held, id, entry)) return corrupt(origin, seqOf(id))
        if (!page.take(undocumentedEntry(held, id, entry))) return page.finish()
      }
    }
    return page.finish()
  }

  #undocumented(held: HeldOrigin, afterSeq: number): IterableIterator<EntryRow> {
    const range = [entryId(held.row, afterSeq + 1), lastEntryId(held.row)] as const
    return this.#ofDocument.iterate(NO_DOCUMENT_ROW, ...range)
  }

  /** O(records read). */
  #readOrigin(origin: OriginId, fromSeq: number, bytesMax: number): ReadReply {
    const held = this.#origins.get(origin)
    if (held === undefined || fromSeq > held.head.seq + 1) {
      const bytes = new EntryPacker().finish()
      return { type: "origin", previousHash: genesisHash, bytes }
    }
    const { floor } = held
    if (fromSeq <= floor.seq) return { type: "truncated", floor }
    const hash = fromSeq === floor.seq + 1 ? floor.hash : undefined
    const run = new OriginRun(this.#checker, held, { fromSeq, bytesMax }, hash)
    for (const [id, entry] of this.#entries(held, hash === undefined ? fromSeq - 1 : fromSeq)) {
      if (!run.take(seqOf(id), entry)) break
    }
    return run.reply()
  }

  #entries(held: HeldOrigin, fromSeq: number): IterableIterator<EntryRow> {
    return this.#ofOrigin.iterate(entryId(held.row, fromSeq), lastEntryId(held.row))
  }

  #check(held: HeldOrigin, id: number, entry: Buffer): boolean {
    return this.#checker.check(held, seqOf(id), entry)
  }

  /** False if entry (origin, seq) is missing or damaged; there is nothing to damage before 1. */
  isSound(origin: OriginId, seq: number): boolean {
    if (seq === 0) return true
    const held = this.#origins.get(origin)
    if (held === undefined) return false
    if (seq === held.floor.seq) return held.isFloorSound
    const id = entryId(held.row, seq)
    const row = this.#ofOrigin.get(id, id)
    return row !== undefined && this.#check(held, ...row)
  }

  /** Whether all entries of `origin` from `fromSeq` on are there and sound. O(entries there). */
  isSoundFrom(origin: OriginId, fromSeq: number): boolean {
    const held = this.#origins.get(origin)
    if (held === undefined || fromSeq > held.head.seq) return true
    if (fromSeq <= held.floor.seq) return false
    let seq = fromSeq - 1
    for (const [id, entry] of this.#entries(held, fromSeq)) {
      seq += 1
      if (seqOf(id) !== seq || !this.#check(held, id, entry)) return false
    }
    return seq === held.head.seq
  }

  #readClient(client: ClientId): number {
    return this.#client.get(Buffer.from(client, "hex"))?.seq ?? 0
  }
}

function corruptSnapshot(document: DocumentId): ReadReply {
  const message = `the snapshot of ${document} failed its checksum`
  return { type: "failed", code: "corrupt", message }
}

function undocumentedEntry({ origin }: HeldOrigin, id: number, entry: Buffer): LogEntry {
  return { origin, seq: seqOf(id), record: new Uint8Array(entry.subarray(RECORD_OFFSET)) }
}
