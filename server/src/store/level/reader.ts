/**
 * Reads, every record checked before it leaves. What fails its checksum is reported once, and an
 * opening in doubt puts it right. Rules [K3] [K4].
 */
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { genesisHash } from "@causeway/crdt/log"
import { corrupt } from "../entry-check.ts"
import type { EntryChecker } from "../entry-check.ts"
import { OriginRun } from "../origin-run.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { LogRequest, ReadReply } from "../thread/messages.ts"
import type { LogParts } from "./batch-writer.ts"
import { damaged } from "./document-reader.ts"
import type { DocumentReader } from "./document-reader.ts"
import { isDamage } from "./failures.ts"
import type { Folds } from "./folds.ts"
import {
  clientKey,
  documentOfKnownKey,
  entryRange,
  knownRangeAfter,
  seqOfEntryKey,
} from "./keys.ts"
import { decodeFolded, decodeShares, vectorOf } from "./summaries.ts"
import { decodeNumber, decodeValue } from "./values.ts"

type Request<Type> = Extract<LogRequest, { readonly type: Type }>

/** Documents that one page of `changed` looks at. */
const changedSeenMax = 4096
/** Entries that one search for what can be folded looks at, per origin and in all. */
const foldableSeenMax = 4096
const foldableSeenInAllMax = 32_768

export class LogReader {
  readonly #parts: LogParts
  readonly #folds: Folds
  readonly #checker: EntryChecker
  readonly #documents: DocumentReader

  constructor(
    parts: LogParts,
    by: {
      readonly folds: Folds
      readonly documents: DocumentReader
      readonly checker: EntryChecker
    },
  ) {
    this.#parts = parts
    this.#folds = by.folds
    this.#documents = by.documents
    this.#checker = by.checker
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
        return this.#documents.read(request.document, new VersionVector(request.since))
      case "origin":
        return this.#readOrigin(request)
      case "client":
        return { type: "client", seq: this.#readClient(request.client) }
      case "changed":
        return this.#readChanged(request)
      case "foldable":
        return this.#readFoldable(request)
      case "sound-floors":
        return this.#soundFloors(request)
    }
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

  /** O(entries seen), which are bounded: what it did not get to, the next call does. */
  async #readFoldable({ upTo, limit }: Request<"foldable">): Promise<ReadReply> {
    const documents = new Set<DocumentId>()
    const floors: [OriginId, number][] = []
    let left = foldableSeenInAllMax
    for (const [origin, seqMax] of new VersionVector(upTo).entries()) {
      const held = this.#parts.origins.get(origin)
      if (held === undefined || left <= 0) continue
      const seenMax = Math.min(left, foldableSeenMax)
      const foldedTo = await this.#folds.foldedTo(held, seqMax, { seenMax })
      if (foldedTo > held.floor.seq) floors.push([origin, foldedTo])
      const end = Math.min(seqMax, held.head.seq, foldedTo + seenMax)
      left -= end - held.floor.seq
      if (documents.size >= limit) continue
      for await (const document of this.#folds.unfolded(held, foldedTo, end)) {
        documents.add(document)
        if (documents.size >= limit) break
      }
    }
    const { logBytes, snapshotBytes } = this.#parts.origins.sizes
    return { type: "foldable", documents: [...documents], floors, logBytes, snapshotBytes }
  }

  async #soundFloors(request: Request<"sound-floors">): Promise<ReadReply> {
    return { type: "sound-floors", ...(await this.#folds.soundFloors(request)) }
  }

  /** Whether a snapshot holds anything of `origin`. O(documents). */
  async isFoldedAnywhere(origin: OriginId): Promise<boolean> {
    for await (const { vector } of this.#known(undefined)) {
      if (vector.get(origin) > 0) return true
    }
    return false
  }

  #readClient(client: ClientId): number {
    const key = clientKey(client)
    return decodeValue(key, this.#parts.database.get(key), decodeNumber) ?? 0
  }
}
