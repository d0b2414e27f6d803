/**
 * Reads, every record checked before it leaves. A document with a record that fails can't be read,
 * as whoever got the rest would believe to have all of it; an origin read ends before it. Each one
 * is reported once. An opening in doubt puts both right.
 */
import type { Database, Statement } from "better-sqlite3"
import { bytesEqual, limits } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { genesisHash, isClusterRecord } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { ReadReply, ReadRequest } from "../thread/messages.ts"
import { entryId, lastEntryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import { hashOf, isSound, RECORD_OFFSET, seal } from "../seal.ts"

/** Past it, corrupt entries are reported again when they are met again. */
const reportedMax = 4096

type EntryRow = readonly [id: number, entry: Buffer]

export class LogReader {
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #onCorrupt: (origin: OriginId, seq: number) => void
  readonly #ofDocument: Statement<[number, number, number], EntryRow>
  readonly #ofOrigin: Statement<[number, number], EntryRow>
  readonly #client: Statement<[Buffer], { seq: number }>
  readonly #reported = new Set<number>()

  constructor(
    database: Database,
    parts: { readonly origins: HeldOrigins; readonly documents: DocumentRows },
    onCorrupt: (origin: OriginId, seq: number) => void,
  ) {
    this.#origins = parts.origins
    this.#documents = parts.documents
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

  read(request: ReadRequest): ReadReply {
    switch (request.type) {
      case "document":
        return this.#readDocument(request.document, new Map(request.since))
      case "origin":
        return this.#readOrigin(request.origin, request.fromSeq, request.bytesMax)
      case "client":
        return { type: "client", seq: this.#readClient(request.client) }
      case "changed":
      case "foldable":
        return { type: "failed", code: "store-failed", message: "no snapshots yet" }
    }
  }

  /** O(origins + entries read): one range of the index per origin. */
  #readDocument(document: DocumentId, since: ReadonlyMap<OriginId, number>): ReadReply {
    const row = this.#documents.find(document)
    const packer = new EntryPacker()
    const names: OriginId[] = []
    for (const held of row === undefined ? [] : this.#origins.all()) {
      const covered = since.get(held.origin) ?? 0
      if (row === undefined || covered >= held.head.seq) continue
      const from = entryId(held.row, covered + 1)
      for (const [id, entry] of this.#ofDocument.iterate(row, from, lastEntryId(held.row))) {
        if (!this.#check(held, id, entry)) return corrupt(held.origin, seqOf(id))
        if (names.at(-1) !== held.origin) names.push(held.origin)
        packer.push(names.length - 1, seqOf(id), entry.subarray(RECORD_OFFSET))
        if (packer.recordBytes > limits.documentReadBytesMax) return tooLarge(document)
      }
    }
    return { type: "document", origins: names, bytes: packer.finish(), snapshot: undefined }
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
    const packer = new EntryPacker()
    if (held === undefined || fromSeq > held.head.seq + 1) {
      return { type: "origin", previousHash: genesisHash, bytes: packer.finish() }
    }
    let previous: Buffer | undefined
    for (const [id, entry] of this.#entries(held, fromSeq - 1)) {
      const seq = seqOf(id)
      if (seq === fromSeq - 1) {
        previous = entry
        continue
      }
      const record = entry.subarray(RECORD_OFFSET)
      const bytes = packer.recordBytes + record.length
      if (packer.count > 0 && bytes > bytesMax) break
      const sound = seq === fromSeq + packer.count && this.#check(held, id, entry)
      if (!sound && packer.count > 0) break
      if (!sound) return corrupt(origin, fromSeq)
      const first = packer.count === 0
      if (first && !follows(held, previous, seq, entry)) return corrupt(origin, fromSeq - 1)
      packer.push(0, seq, record)
    }
    return { type: "origin", previousHash: hashBefore(previous), bytes: packer.finish() }
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
    const id = entryId(held.row, seq)
    const row = this.#ofOrigin.get(id, id)
    return row !== undefined && this.#check(held, ...row)
  }

  /** Whether all entries of `origin` from `fromSeq` on are there and sound. O(entries there). */
  isSoundFrom(origin: OriginId, fromSeq: number): boolean {
    const held = this.#origins.get(origin)
    if (held === undefined || fromSeq > held.head.seq) return true
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
function follows(
  held: HeldOrigin,
  previous: Buffer | undefined,
  seq: number,
  entry: Buffer,
): boolean {
  const sealed = seal(hashBefore(previous), held, seq, entry.subarray(RECORD_OFFSET))
  return bytesEqual(sealed.hash, hashOf(entry))
}

function hashBefore(previous: Buffer | undefined): Uint8Array {
  return previous === undefined ? genesisHash : new Uint8Array(hashOf(previous))
}

function tooLarge(document: DocumentId): ReadReply {
  const message = `${document} has more than ${limits.documentReadBytesMax} bytes of entries`
  return { type: "failed", code: "document-too-large", message }
}

function corrupt(origin: OriginId, seq: number): ReadReply {
  const message = `entry ${seq} of ${origin} failed its checksum`
  return { type: "failed", code: "corrupt", message }
}
