/**
 * Reads, every record checked before it leaves. A document with an entry that fails or is missing
 * can't be read, as whoever got the rest would believe to have all of it; an origin read ends before
 * it. Each one is reported once. An opening in doubt puts both right. Rules [K3] [K4].
 */
import { limits } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { Dot } from "@causeway/crdt/clock"
import { genesisHash, isClusterRecord, needsSnapshot } from "@causeway/crdt/log"
import type { LogEntry } from "@causeway/crdt/log"
import { corrupt, EntryChecker, tooLarge } from "../entry-check.ts"
import { OriginRun } from "../origin-run.ts"
import { RECORD_OFFSET } from "../seal.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { ReadReply, LogRequest } from "../thread/messages.ts"
import type { LogParts } from "./batch-writer.ts"
import { isDamage } from "./failures.ts"
import type { Folds } from "./folds.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin } from "./heads.ts"
import { clientKey, documentKey, documentKeys, documentOfKnownKey, dotOfKey } from "./keys.ts"
import {
  entryKey,
  entryRange,
  knownRangeAfter,
  placeRange,
  rangeOf,
  seqOfEntryKey,
} from "./keys.ts"
import { decodeFolded, decodeShares, vectorOf } from "./summaries.ts"
import type { Summary } from "./summaries.ts"
import { decodeNumber, decodeValue, openValue } from "./values.ts"

type Request<Type> = Extract<LogRequest, { readonly type: Type }>
type Snapshot = Extract<ReadReply, { readonly type: "document" }>["snapshot"]

/** Documents that one page of `changed` looks at. */
const changedSeenMax = 10_000

export class LogReader {
  readonly #parts: LogParts
  readonly #folds: Folds
  readonly #checker: EntryChecker

  constructor(parts: LogParts, folds: Folds, onCorrupt: (origin: OriginId, seq: number) => void) {
    this.#parts = parts
    this.#folds = folds
    this.#checker = new EntryChecker(onCorrupt)
  }

  async read(request: LogRequest): Promise<ReadReply> {
    try {
      return await this.#read(request)
    } catch (error) {
      if (!isDamage(error)) throw error
      return damaged(error instanceof Error ? error.message : "LevelDB is damaged")
    }
  }

  #read(request: LogRequest): ReadReply | Promise<ReadReply> {
    switch (request.type) {
      case "document":
        return this.#readDocument(request.document, new VersionVector(request.since))
      case "origin":
        return this.#readOrigin(request)
      case "client":
        return { type: "client", seq: this.#readClient(request.client) }
      case "changed":
        return this.#readChanged(request)
      case "foldable":
        return this.#readFoldable(request)
    }
  }

  /** O(entries of the document). */
  async #readDocument(document: DocumentId, since: VersionVector): Promise<ReadReply> {
    const key = documentKey(document)
    const summary = this.#parts.summaries.get(key)
    const snapshot = this.#snapshotFor(key, summary, since)
    if (snapshot === "lost") return damaged(`the snapshot of ${document} failed its checksum`)
    const packer = new EntryPacker()
    const names: OriginId[] = []
    const stateBytes = snapshot?.state.length ?? 0
    const found = new Map<OriginId, number>()
    for await (const dot of this.#places(key)) {
      const held = this.#parts.origins.get(dot.origin)
      if (held === undefined || dot.seq > held.head.seq) continue
      found.set(dot.origin, (found.get(dot.origin) ?? 0) + 1)
      if (since.covers(dot)) continue
      if (snapshot !== undefined && summary.folded?.vector.covers(dot) === true) continue
      const entry = this.#entry(held, dot.seq)
      if (entry === undefined) return corrupt(dot.origin, dot.seq)
      if (names.at(-1) !== dot.origin) names.push(dot.origin)
      packer.push(names.length - 1, dot.seq, entry.subarray(RECORD_OFFSET))
      if (packer.recordBytes + stateBytes > limits.documentReadBytesMax) return tooLarge(document)
    }
    const isWhole = summary.shares?.size === found.size
    const missing = [...(summary.shares ?? [])].find(([origin, { count }]) => {
      return found.get(origin) !== count
    })
    if (missing !== undefined) return corrupt(missing[0], missing[1].lastSeq)
    if (!isWhole) return damaged(`what is known of ${document} does not match its entries`)
    if (stateBytes > limits.documentReadBytesMax) return tooLarge(document)
    return { type: "document", origins: names, bytes: packer.finish(), snapshot }
  }

  /** The snapshot if somebody with `since` needs it. */
  #snapshotFor(key: Buffer, { folded, isFoldedLost }: Summary, since: VersionVector) {
    if (isFoldedLost) return "lost"
    if (folded === undefined) return undefined
    const isNeeded =
      since.size === 0 ||
      needsSnapshot(folded.vector, since, (origin) => {
        const { floor, head } = this.#parts.origins.get(origin) ?? newOrigin(origin)
        return { floor: floor.seq, head: head.seq }
      })
    if (!isNeeded) return undefined
    const stateKey = documentKeys.state(key)
    const state = openValue(stateKey, this.#parts.database.get(stateKey))
    if (state === undefined) return "lost"
    const snapshot: Snapshot = { state: new Uint8Array(state), folded: folded.vector.entries() }
    return snapshot
  }

  async *#places(key: Buffer): AsyncGenerator<Dot> {
    for await (const page of this.#parts.database.keyPages(placeRange(key))) {
      for (const place of page) {
        const dot = dotOfKey(place)
        if (dot !== undefined) yield dot
      }
    }
  }

  /** The stored entry if it is there and sound. */
  #entry(held: HeldOrigin, seq: number): Buffer | undefined {
    const entry = this.#parts.database.getReadable(entryKey(held.origin, seq))
    if (entry !== undefined && this.#checker.check(held, seq, entry)) return entry
    this.#checker.report(held.origin, seq)
    return undefined
  }

  /** O(records read). */
  async #readOrigin(request: Request<"origin">): Promise<ReadReply> {
    const { origin, fromSeq } = request
    const held = this.#parts.origins.get(origin)
    if (held === undefined || fromSeq > held.head.seq + 1) {
      return { type: "origin", previousHash: genesisHash, bytes: new EntryPacker().finish() }
    }
    const { floor, head } = held
    if (fromSeq <= floor.seq) return { type: "truncated", floor }
    const hash = fromSeq === floor.seq + 1 ? floor.hash : undefined
    const run = new OriginRun(this.#checker, held, request, hash)
    const from = hash === undefined ? fromSeq - 1 : fromSeq
    if (from > head.seq) return run.reply()
    for await (const page of this.#parts.database.pages(entryRange(origin, from, head.seq))) {
      for (const [key, entry] of page) {
        if (!run.take(seqOfEntryKey(key), entry)) return run.reply()
      }
    }
    return fromSeq <= head.seq && run.isEmpty ? corrupt(origin, fromSeq) : run.reply()
  }

  /** O(documents seen). */
  async #readChanged({ since, after, limit }: Request<"changed">): Promise<ReadReply> {
    const known = new VersionVector(since)
    const documents: [DocumentId, [OriginId, number][]][] = []
    let seen = 0
    let last: DocumentId | undefined
    for await (const { document, vector } of this.#known(after)) {
      if (documents.length >= limit || seen >= changedSeenMax) {
        return { type: "changed", documents, next: last }
      }
      seen += 1
      last = document
      if (!known.coversAll(vector)) documents.push([document, vector.entries()])
    }
    return { type: "changed", documents, next: undefined }
  }

  /** Documents behind `after`, and for each origin the last seq they have something of. */
  async *#known(after: DocumentId | undefined) {
    let current: DocumentId | undefined
    let vector = new VersionVector()
    for await (const page of this.#parts.database.pages(knownRangeAfter(after))) {
      for (const [key, value] of page) {
        const named = documentOfKnownKey(key)
        if (named === undefined) continue
        if (named.document !== current) {
          if (current !== undefined) yield { document: current, vector }
          current = named.document
          vector = new VersionVector()
        }
        const shares = named.which === "e" ? decodeShares(key, value) : undefined
        const folded = named.which === "f" ? decodeFolded(key, value) : undefined
        vector.raiseAll(vectorOf({ shares, folded }))
      }
    }
    if (current !== undefined) yield { document: current, vector }
  }

  /** O(entries up to the last document found). */
  async #readFoldable({ upTo, limit }: Request<"foldable">): Promise<ReadReply> {
    const documents = new Set<DocumentId>()
    const floors: [OriginId, number][] = []
    for (const [origin, seqMax] of new VersionVector(upTo).entries()) {
      const held = this.#parts.origins.get(origin)
      if (held === undefined) continue
      const foldedTo = await this.#folds.foldedTo(held, seqMax)
      if (foldedTo > held.floor.seq) floors.push([origin, foldedTo])
      if (documents.size >= limit) continue
      const end = Math.min(seqMax, held.head.seq)
      for await (const document of this.#folds.unfolded(held, foldedTo, end)) {
        documents.add(document)
        if (documents.size >= limit) break
      }
    }
    const { logBytes, snapshotBytes } = this.#parts.origins.sizes
    return { type: "foldable", documents: [...documents], floors, logBytes, snapshotBytes }
  }

  /** False if the last entry is missing or damaged. */
  isTailSound({ floor, head, ...held }: HeldOrigin): boolean {
    return head.seq === floor.seq || this.#entry({ ...held, floor, head }, head.seq) !== undefined
  }

  /** The cluster's own entries. O(entries of no document). */
  async clusterRecords(): Promise<LogEntry[]> {
    const entries: LogEntry[] = []
    for await (const page of this.#parts.database.keyPages(rangeOf("n"))) {
      for (const key of page) {
        const dot = dotOfKey(key)
        const held = dot && this.#parts.origins.get(dot.origin)
        if (dot === undefined || held === undefined || dot.seq > held.head.seq) continue
        const record = this.#entry(held, dot.seq)?.subarray(RECORD_OFFSET)
        if (record === undefined || !isClusterRecord(record)) continue
        entries.push({ ...dot, record: new Uint8Array(record) })
      }
    }
    return entries
  }

  #readClient(client: ClientId): number {
    const key = clientKey(client)
    return decodeValue(key, this.#parts.database.get(key), decodeNumber) ?? 0
  }
}

function damaged(message: string): ReadReply {
  return { type: "failed", code: "corrupt", message }
}
