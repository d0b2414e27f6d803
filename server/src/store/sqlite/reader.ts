/**
 * Reads, every record checked before it leaves. A document with a record that fails can't be read,
 * as whoever got the rest would believe to have all of it; an origin read ends before it. Each one
 * is reported once. An opening in doubt puts both right.
 */
import type { Database, Statement } from "better-sqlite3"
import { bytesEqual, limits } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { genesisHash, needsSnapshot, isClusterRecord } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"
import { VersionVector } from "@causeway/crdt/clock"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { ReadReply, LogRequest } from "../thread/messages.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import { Searches } from "./searches.ts"
import type { Snapshots } from "./snapshots.ts"
import { hashOf, isSound, RECORD_OFFSET, seal } from "../seal.ts"

/** Past it, corrupt entries are reported again when they are met again. */
const reportedMax = 4096

type EntryRow = readonly [id: number, entry: Buffer]

type OriginRead = {
  readonly fromSeq: number
  readonly bytesMax: number
  readonly previousHash: Uint8Array
}

export class LogReader {
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #snapshots: Snapshots
  readonly #searches: Searches
  readonly #onCorrupt: (origin: OriginId, seq: number) => void
  readonly #ofDocument: Statement<[number, number, number], EntryRow>
  readonly #ofOrigin: Statement<[number, number], EntryRow>
  readonly #client: Statement<[Buffer], { seq: number }>
  readonly #reported = new Set<number>()

  constructor(
    database: Database,
    parts: {
      readonly origins: HeldOrigins
      readonly documents: DocumentRows
      readonly snapshots: Snapshots
    },
    onCorrupt: (origin: OriginId, seq: number) => void,
  ) {
    this.#origins = parts.origins
    this.#documents = parts.documents
    this.#snapshots = parts.snapshots
    this.#searches = new Searches(database, parts.origins, parts.snapshots)
    this.#onCorrupt = onCorrupt
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
    if (folded === undefined || folded === "damaged") return folded
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
      const range = [entryId(held.row, 0), lastEntryId(held.row)] as const
      for (const [id, entry] of this.#ofDocument.iterate(NO_DOCUMENT_ROW, ...range)) {
        if (!this.#check(held, id, entry)) continue
        const record = new Uint8Array(entry.subarray(RECORD_OFFSET))
        if (!isClusterRecord(record)) continue
        entries.push({ origin: held.origin, seq: seqOf(id), record })
      }
    }
    return entries
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
    const previousHash = fromSeq === floor.seq + 1 ? floor.hash : this.#hashAt(held, fromSeq - 1)
    return this.#packRun(held, { fromSeq, bytesMax, previousHash })
  }

  #hashAt(held: HeldOrigin, seq: number): Uint8Array {
    const id = entryId(held.row, seq)
    const row = this.#ofOrigin.get(id, id)
    return row === undefined ? genesisHash : new Uint8Array(hashOf(row[1]))
  }

  #packRun(held: HeldOrigin, { fromSeq, bytesMax, previousHash }: OriginRead): ReadReply {
    const { origin } = held
    const packer = new EntryPacker()
    for (const [id, entry] of this.#entries(held, fromSeq)) {
      const seq = seqOf(id)
      const record = entry.subarray(RECORD_OFFSET)
      const bytes = packer.recordBytes + record.length
      if (packer.count > 0 && bytes > bytesMax) break
      const sound = seq === fromSeq + packer.count && this.#check(held, id, entry)
      if (!sound && packer.count > 0) break
      if (!sound) return corrupt(origin, fromSeq)
      const first = packer.count === 0
      if (first && !follows(held, previousHash, seq, entry)) return corrupt(origin, fromSeq - 1)
      packer.push(0, seq, record)
    }
    return { type: "origin", previousHash, bytes: packer.finish() }
  }

  #entries(held: HeldOrigin, fromSeq: number): IterableIterator<EntryRow> {
    return this.#ofOrigin.iterate(entryId(held.row, fromSeq), lastEntryId(held.row))
  }

  #check(held: HeldOrigin, id: number, entry: Buffer): boolean {
    const sound = isSound(held, seqOf(id), entry)
    if (!sound && !this.#reported.has(id)) {
      if (this.#reported.size >= reportedMax) this.#reported.clear()
      this.#reported.add(id)
      this.#onCorrupt(held.origin, seqOf(id))
    }
    return sound
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

/**
 * Whether `entry` is chained to the hash that `previous` has. That hash leaves the store too, and
 * if it is sound it may do so even where the record it stands for is damaged.
 */
function follows(held: HeldOrigin, previous: Uint8Array, seq: number, entry: Buffer): boolean {
  const sealed = seal(previous, held, seq, entry.subarray(RECORD_OFFSET))
  return bytesEqual(sealed.hash, hashOf(entry))
}

function tooLarge(document: DocumentId): ReadReply {
  const message = `${document} has more than ${limits.documentReadBytesMax} bytes of entries`
  return { type: "failed", code: "document-too-large", message }
}

function corruptSnapshot(document: DocumentId): ReadReply {
  const message = `the snapshot of ${document} failed its checksum`
  return { type: "failed", code: "corrupt", message }
}

function corrupt(origin: OriginId, seq: number): ReadReply {
  const message = `entry ${seq} of ${origin} failed its checksum`
  return { type: "failed", code: "corrupt", message }
}
