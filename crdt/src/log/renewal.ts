/**
 * What every store's renewal has in common (ADR 8): a log in doubt gets a fresh own origin, ends
 * each origin where it can no longer be trusted, and logs what is readable behind that again under
 * the fresh one. CRDT updates are idempotent, so a second copy under another dot is harmless.
 * Rules [E1] [E3] [E4].
 */
import { limits, nodeOfOrigin } from "../base/index.ts"
import type { DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import { decodeRecord, decodeUpdate, encodeRecord } from "./record.ts"

/** So many lost entries are named; the others are only counted. */
export const lostNamedMax = 100

export type RenewOptions = {
  /** Where the own origin ends from now on: up to here peers have the same. Default: its end. */
  readonly keepSeq?: number
  /** Entries that can't be read any more. Default: none. */
  readonly isDamaged?: (dot: Dot) => boolean
  /** Documents whose snapshot can't be read any more. Default: none. */
  readonly isSnapshotDamaged?: (document: DocumentId) => boolean
}

/** Behind `keepSeq` entries of `origin` gave way to others of the same names. */
export type Cut = { readonly origin: OriginId; readonly keepSeq: number }

export type Renewal = {
  /** Entries that were logged again under the fresh origin. */
  readonly salvaged: number
  /** Entries that could not be read: the first `lostNamedMax` of them, and how many in all. */
  readonly lost: readonly Dot[]
  readonly lostCount: number
  /**
   * Documents that lost a snapshot which held more than the log has: the first `lostNamedMax`, and
   * how many in all. What they lost is not claimed any more (rule [K5]).
   */
  readonly lostDocuments: readonly DocumentId[]
  readonly lostDocumentCount: number
  /** Where an origin was cut for a fork; the cut is logged, under the own origin of then. */
  readonly cut: Cut | undefined
}

/** Counts what a renewal loses. */
export class Renewing {
  readonly #lost: Dot[] = []
  #lostCount = 0
  readonly #lostDocuments: DocumentId[] = []
  #lostDocumentCount = 0

  /** `count` entries from `dot` on are lost; the first is named. */
  lose(dot: Dot, count = 1): void {
    this.#lostCount += count
    if (this.#lost.length < lostNamedMax) this.#lost.push(dot)
  }

  /** Undefined: not even its name can be read. */
  loseDocument(document: DocumentId | undefined): void {
    this.#lostDocumentCount += 1
    if (document !== undefined && this.#lostDocuments.length < lostNamedMax) {
      this.#lostDocuments.push(document)
    }
  }

  finish(salvaged: number, cut?: Cut): Renewal {
    return {
      cut,
      salvaged,
      lost: this.#lost,
      lostCount: this.#lostCount,
      lostDocuments: this.#lostDocuments,
      lostDocumentCount: this.#lostDocumentCount,
    }
  }
}

/** A snapshot's state as an update to be logged again; undefined if it is too large for one. */
export function stateRecord(document: DocumentId, state: Uint8Array): Uint8Array | undefined {
  if (state.length > limits.updateBytesMax) return undefined
  return encodeRecord({ kind: "update", document, author: undefined, atMs: 0, body: state })
}

/** `folded`, but of `origin` no more than up to `seqMax`. */
export function foldedUpTo(folded: VersionVector, origin: OriginId, seqMax: number): VersionVector {
  return new VersionVector(
    folded.entries().map(([of, seq]) => [of, of === origin ? Math.min(seq, seqMax) : seq]),
  )
}

/**
 * A record as it is logged again. Behind a lost entry it goes without its author: whose update the
 * lost one was is unknown, and a client that is told a number must have everything up to there in
 * the log (rule [N2]). Told a lower one, it sends again what it still has.
 */
export function relogged(record: Uint8Array, hasLost: boolean): Uint8Array {
  const update = hasLost ? decodeUpdate(record) : undefined
  return update === undefined ? record : encodeRecord({ ...update, author: undefined })
}

/** Whether it says something of the node whose log it is in, and would of another where it goes. */
export function isOfAnother(own: OriginId, origin: OriginId, record: Uint8Array): boolean {
  return nodeOfOrigin(own) !== nodeOfOrigin(origin) && decodeRecord(record).kind === "member"
}

/** The entry that says so to everybody. When it was is in the logs of who did it. */
export function cutRecord(cut: Cut): Uint8Array {
  return encodeRecord({ kind: "cut", atMs: 0, ...cut })
}
