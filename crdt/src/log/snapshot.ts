/**
 * What a log is written with and what it tells besides entries: snapshots hold documents whose
 * entries are folded into them, floors are where logs begin. An entry at or below its origin's
 * floor is there no more, unless it belongs to no document or is not folded. Rules [K1]–[K4].
 */
import type { ClientId, DocumentId, OriginId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import type { Head } from "./chain.ts"
import type { SideBatch } from "./side-tables.ts"

/** An entry as a log holds it. */
export type LogEntry = {
  readonly origin: OriginId
  readonly seq: number
  readonly record: Uint8Array
}

/** Records of one origin that follow each other; `firstSeq` is the first one's seq. */
export type LogRun = {
  readonly origin: OriginId
  readonly firstSeq: number
  readonly records: readonly Uint8Array[]
}

export type Snapshot = {
  /** What the engine made of the document's entries; opaque here. */
  readonly state: Uint8Array
  /** For each origin the last seq of this document whose effect the state holds. */
  readonly folded: VersionVector
}

export type DocumentSnapshot = Snapshot & { readonly document: DocumentId }

/** What is written at once; done in this order: raise, own, adopted, snapshots, floors, others. */
export type LogBatch = SideBatch & {
  /** Records of the own origin; the log numbers them. */
  readonly own: readonly Uint8Array[]
  /** Runs of other origins; each starts right after what is held. */
  readonly adopted: readonly LogRun[]
  /** Each takes the place of the document's last one, and holds all that that one held. */
  readonly snapshots?: readonly DocumentSnapshot[]
  /**
   * Deletes what is folded up to there; refused where an entry of a document is not, or where the
   * snapshot that it is folded in can't be read.
   */
  readonly floors?: readonly (readonly [OriginId, number])[]
  /**
   * Moves heads of other origins without their entries, and floors with them: what they stand for
   * is in snapshots. Entries that are not folded stay. One that is no news changes nothing.
   */
  readonly raise?: readonly (readonly [OriginId, Head])[]
  /** Entries of no document, at or below the floor of their origin, that a transfer brought. */
  readonly below?: readonly LogEntry[]
  /** The highest update numbers that clients had in entries which a transfer stands for. */
  readonly clients?: readonly (readonly [ClientId, number])[]
}

/** A document, and for each origin the last seq that it has an entry or an effect of. */
export type ChangedDocument = { readonly document: DocumentId; readonly vector: VersionVector }

export type ChangedPage = {
  readonly documents: readonly ChangedDocument[]
  /** Where the next page starts (`after`); undefined if this was the last. */
  readonly next: DocumentId | undefined
}

/** What compaction works on. */
export type Foldable = {
  /** Documents with entries that are not folded yet, the oldest of each origin first. */
  readonly documents: readonly DocumentId[]
  /** How far each origin could be truncated now, where that is further than its floor. */
  readonly floors: readonly (readonly [OriginId, number])[]
  /** About what entries and snapshots take in the store. */
  readonly logBytes: number
  readonly snapshotBytes: number
}

export type FloorsToCheck = {
  readonly floors: readonly (readonly [OriginId, number])[]
  readonly bytesMax: number
}

export type SoundFloors = {
  /** Those that can move at all, and how far. */
  readonly floors: readonly (readonly [OriginId, number])[]
  /** Documents whose snapshots can't be read and hold floors up. */
  readonly unreadable: readonly DocumentId[]
}

/**
 * Whether somebody who has what `since` covers needs the snapshot: it holds something that `since`
 * does not cover and that may not be in the log as an entry.
 */
export function needsSnapshot(
  folded: VersionVector,
  since: VersionVector,
  range: (origin: OriginId) => { readonly floor: number; readonly head: number },
): boolean {
  return folded.entries().some(([origin, seq]) => {
    const known = since.get(origin)
    if (known >= seq) return false
    const { floor, head } = range(origin)
    return known < floor || seq > head
  })
}
