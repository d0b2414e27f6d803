/**
 * Snapshots, floors and raised heads: what they delete, and whether they may. Rules [K1] [K2]
 * [K12].
 */
import { Reader } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import type { Dot, VersionVector } from "@causeway/crdt/clock"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { DocumentSnapshot, FloorsToCheck, Head, SoundFloors } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { UnreadableError } from "../errors.ts"
import { hashOf, isSound, RECORD_OFFSET } from "../seal.ts"
import { SnapshotCheck } from "../snapshot-check.ts"
import type { FloorReach, ReadBack, ReadBudget } from "../snapshot-check.ts"
import type { BatchWriter, LogParts } from "./batch-writer.ts"
import type { LevelDatabase } from "./database.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin } from "./heads.ts"
import { documentKey, documentKeys, dotOfKey, entryKey, entryRange } from "./keys.ts"
import { placeRange, seqOfEntryKey } from "./keys.ts"
import { decodeFolded } from "./summaries.ts"
import { openValue } from "./values.ts"

type Soon = ReadonlyMap<DocumentId, VersionVector>
type Entry = readonly [seq: number, entry: Buffer]

export class Folds {
  readonly #parts: LogParts
  readonly #check: SnapshotCheck

  constructor(parts: LogParts) {
    this.#parts = parts
    this.#check = new SnapshotCheck((document) => readBack(parts.database, document))
  }

  /**
   * Why `batch` would break a rule; undefined if it does not. O(entries below its floors).
   * @throws UnreadableError
   */
  async refusal(batch: AppendBatch): Promise<string | undefined> {
    const { snapshots = [], floors = [], raise = [] } = batch
    const soon = new Map<DocumentId, VersionVector>()
    for (const { document, folded } of snapshots) {
      const held = soon.get(document) ?? this.#folded(document)
      if (held !== undefined && !folded.coversAll(held)) {
        return `a snapshot of ${document} holds less than the one before`
      }
      soon.set(document, folded)
    }
    const raised = new Map(raise)
    for (const [origin, seq] of floors) {
      const held = this.#parts.origins.get(origin) ?? newOrigin(origin)
      if (seq <= Math.max(held.floor.seq, raised.get(origin)?.seq ?? 0)) continue
      const why = await this.#floorRefusal(held, seq, soon)
      if (why !== undefined) return why
    }
    return undefined
  }

  async #floorRefusal(held: HeldOrigin, seq: number, soon: Soon): Promise<string | undefined> {
    const { origin } = held
    if (seq > held.head.seq) return `a floor above the head of ${origin}`
    const foldedTo = await this.foldedTo(held, seq, { soon })
    if (foldedTo < seq) return `a floor over what is not folded, of ${origin}`
    // What was read back for `sound-floors` is not read again.
    const reach = await this.#reach(held, seq, { bytes: Infinity }, soon)
    if (reach.seq < seq) throw new UnreadableError(origin)
    return undefined
  }

  /** How far floors can move over snapshots that were read back. Rule [K12]. */
  async soundFloors({ floors, bytesMax }: FloorsToCheck): Promise<SoundFloors> {
    const budget = { bytes: bytesMax }
    const unreadable = new Set<DocumentId>()
    const sound: SoundFloors["floors"][number][] = []
    for (const [origin, seq] of floors) {
      const held = this.#parts.origins.get(origin)
      if (held === undefined) continue
      const reach = await this.#reach(held, Math.min(seq, held.head.seq), budget)
      if (reach.seq > held.floor.seq) sound.push([origin, reach.seq])
      if (reach.unreadable !== undefined) unreadable.add(reach.unreadable)
    }
    return { floors: sound, unreadable: [...unreadable] }
  }

  /** What is in `soon` is written with the floor. O(entries up to there + what is read). */
  async #reach(
    { origin, floor }: HeldOrigin,
    seqMax: number,
    budget: ReadBudget,
    soon?: Soon,
  ): Promise<FloorReach> {
    for await (const [seq, entry] of this.#entries(origin, floor.seq + 1, seqMax)) {
      const document = documentOf(entry)
      const dot = { origin, seq }
      if (document === undefined || soon?.get(document)?.covers(dot) === true) continue
      const holds = this.#check.holds(document, dot, budget)
      if (holds === "no") return { seq: seq - 1, unreadable: document }
      if (holds === "unread") return { seq: seq - 1 }
    }
    return { seq: seqMax }
  }

  /** A batch failed: what was read back may not be what is there. */
  forgetReads(): void {
    this.#check.forgetAll()
  }

  #folded(document: DocumentId): VersionVector | undefined {
    return this.#parts.summaries.get(documentKey(document)).folded?.vector
  }

  /**
   * The highest seq up to `seqMax` up to which all is folded, or of no document. `soon`: snapshots
   * that are to come; `seenMax`: it looks at no more entries.
   */
  async foldedTo(
    held: HeldOrigin,
    seqMax: number,
    { soon, seenMax = Infinity }: { readonly soon?: Soon; readonly seenMax?: number } = {},
  ): Promise<number> {
    const { foldedTo: known } = this.#parts.origins
    const { origin } = held
    const end = Math.min(seqMax, held.head.seq)
    let reached = Math.max(known.get(origin) ?? 0, held.floor.seq)
    const seenEnd = Math.min(end, reached + seenMax)
    for await (const [seq, entry] of this.#entries(origin, reached + 1, seenEnd)) {
      if (seq !== reached + 1 || !isSound(held, seq, entry)) break
      const document = documentOf(entry)
      if (document !== undefined && !this.isFolded({ origin, seq }, document, soon)) break
      reached = seq
    }
    if (soon === undefined) known.set(origin, reached)
    return Math.min(reached, end)
  }

  isFolded(dot: Dot, document: DocumentId, soon?: Soon): boolean {
    return soon?.get(document)?.covers(dot) === true || this.#folded(document)?.covers(dot) === true
  }

  /** Documents with entries behind `from` that are not folded, oldest first. */
  async *unfolded(held: HeldOrigin, from: number, to: number): AsyncGenerator<DocumentId> {
    const { origin } = held
    for await (const [seq, entry] of this.#entries(origin, from + 1, to)) {
      const document = isSound(held, seq, entry) ? documentOf(entry) : undefined
      if (document !== undefined && !this.isFolded({ origin, seq }, document)) yield document
    }
  }

  /** Moves a head of another origin without its entries; those that are not folded stay. */
  async raise(writer: BatchWriter, origin: OriginId, head: Head): Promise<void> {
    const held = writer.held(origin) ?? newOrigin(origin)
    if (head.seq <= held.head.seq) return
    for await (const [seq, entry] of this.#entries(origin, 1, held.head.seq)) {
      this.#dropFolded(writer, { origin, seq }, entry)
    }
    writer.setHeld({ ...held, floor: head, head })
  }

  /** Puts the snapshot, and deletes what is folded in it and below its floor. */
  async putSnapshot(writer: BatchWriter, snapshot: DocumentSnapshot): Promise<void> {
    const { database } = this.#parts
    this.#check.forget(snapshot.document)
    writer.putSnapshot(snapshot)
    for await (const page of database.keyPages(placeRange(documentKey(snapshot.document)))) {
      for (const place of page) {
        const dot = dotOfKey(place)
        if (dot === undefined || !snapshot.folded.covers(dot)) continue
        if (dot.seq > (writer.held(dot.origin)?.floor.seq ?? 0)) continue
        const entry = database.get(entryKey(dot.origin, dot.seq))
        if (entry !== undefined) writer.dropEntry(dot, entry)
      }
    }
  }

  /** Moves the floor up to `seq`, which is not refused. O(entries deleted). */
  async truncate(writer: BatchWriter, origin: OriginId, seq: number): Promise<void> {
    const held = writer.held(origin)
    if (held === undefined || seq <= held.floor.seq) return
    let hash = held.head.hash
    for await (const [below, entry] of this.#entries(origin, held.floor.seq + 1, seq)) {
      if (below === seq) hash = new Uint8Array(hashOf(entry))
      this.#dropFolded(writer, { origin, seq: below }, entry)
    }
    writer.setHeld({ ...held, floor: { seq, hash } })
  }

  #dropFolded(writer: BatchWriter, dot: Dot, entry: Buffer): void {
    const document = documentOf(entry)
    if (document === undefined) return
    if (writer.folded(document)?.vector.covers(dot) === true) writer.dropEntry(dot, entry)
  }

  async *#entries(origin: OriginId, from: number, to: number): AsyncGenerator<Entry> {
    if (from > to) return
    for await (const page of this.#parts.database.pages(entryRange(origin, from, to))) {
      for (const [key, entry] of page) yield [seqOfEntryKey(key), entry]
    }
  }
}

/** From the database, whatever is remembered of it. */
function readBack(database: LevelDatabase, document: DocumentId): ReadBack {
  const key = documentKey(document)
  const [foldedKey, stateKey] = [documentKeys.folded(key), documentKeys.state(key)]
  const folded = decodeFolded(foldedKey, database.getReadable(foldedKey))
  const state = openValue(stateKey, database.getReadable(stateKey))
  if (folded === undefined || state === undefined) return undefined
  return { folded: folded.vector, bytes: state.length }
}

function documentOf(entry: Buffer): DocumentId | undefined {
  return decodeRecordHead(new Reader(entry.subarray(RECORD_OFFSET))).document
}
