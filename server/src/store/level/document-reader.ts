/**
 * Reads of one document: its snapshot, if the reader needs it, and the entries that it lacks. Every
 * entry is checked, and that none is missing: whoever got the rest would believe to have all of it.
 * Rule [K3].
 */
import { limits } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import { needsSnapshot } from "@causeway/crdt/log"
import { corrupt, tooLarge } from "../entry-check.ts"
import type { EntryChecker } from "../entry-check.ts"
import { RECORD_OFFSET } from "../seal.ts"
import { EntryPacker } from "../thread/messages.ts"
import type { ReadReply } from "../thread/messages.ts"
import type { SnapshotMessage } from "../thread/snapshot-messages.ts"
import type { LogParts } from "./batch-writer.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin } from "./heads.ts"
import { documentKey, documentKeys, dotOfKey, entryKey, placeRange } from "./keys.ts"
import type { Summary } from "./summaries.ts"
import { openValue } from "./values.ts"

/** Where an entry of the document is. */
type Place = { readonly held: HeldOrigin; readonly seq: number }

export class DocumentReader {
  readonly #parts: LogParts
  readonly #checker: EntryChecker

  constructor(parts: LogParts, checker: EntryChecker) {
    this.#parts = parts
    this.#checker = checker
  }

  /** O(entries of the document). */
  async read(document: DocumentId, since: VersionVector): Promise<ReadReply> {
    const key = documentKey(document)
    const summary = this.#parts.summaries.get(key)
    const snapshot = this.#snapshotFor(key, summary, since)
    if (snapshot === "lost") return damaged(`the snapshot of ${document} failed its checksum`)
    const covered = snapshot === undefined ? since : both(since, summary)
    const packer = new EntryPacker()
    packer.recordBytes = snapshot?.state.length ?? 0
    const names: OriginId[] = []
    const counts = new Map<OriginId, number>()
    for await (const { held, seq } of this.#places(key)) {
      const { origin } = held
      counts.set(origin, (counts.get(origin) ?? 0) + 1)
      if (covered.covers({ origin, seq })) continue
      const entry = this.#entry(held, seq)
      if (entry === undefined) return corrupt(origin, seq)
      if (names.at(-1) !== origin) names.push(origin)
      packer.push(names.length - 1, seq, entry.subarray(RECORD_OFFSET))
      if (packer.recordBytes > limits.documentReadBytesMax) return tooLarge(document)
    }
    if (packer.recordBytes > limits.documentReadBytesMax) return tooLarge(document)
    const reply = { type: "document", origins: names, bytes: packer.finish(), snapshot } as const
    return missing(document, summary, counts) ?? reply
  }

  /** The snapshot if somebody with `since` needs it. */
  #snapshotFor(
    key: Buffer,
    { folded, isFoldedLost }: Summary,
    since: VersionVector,
  ): SnapshotMessage | "lost" | undefined {
    if (isFoldedLost) return "lost"
    if (folded === undefined) return undefined
    const rangeOf = (origin: OriginId) => {
      const { floor, head } = this.#parts.origins.get(origin) ?? newOrigin(origin)
      return { floor: floor.seq, head: head.seq }
    }
    if (since.size > 0 && !needsSnapshot(folded.vector, since, rangeOf)) return undefined
    const stateKey = documentKeys.state(key)
    const state = openValue(stateKey, this.#parts.database.get(stateKey))
    if (state === undefined) return "lost"
    return { state: new Uint8Array(state), folded: folded.vector.entries() }
  }

  async *#places(key: Buffer): AsyncGenerator<Place> {
    const { database, origins } = this.#parts
    for await (const page of database.keyPages(placeRange(key))) {
      for (const dot of page.map(dotOfKey)) {
        const held = dot && origins.get(dot.origin)
        if (held !== undefined && dot !== undefined && dot.seq <= held.head.seq) {
          yield { held, seq: dot.seq }
        }
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

  /** False if the last entry is missing or damaged. */
  isTailSound(held: HeldOrigin): boolean {
    return held.head.seq === held.floor.seq || this.#entry(held, held.head.seq) !== undefined
  }
}

/** What neither needs to be given. */
function both(since: VersionVector, { folded }: Summary): VersionVector {
  const covered = since.clone()
  if (folded !== undefined) covered.raiseAll(folded.vector)
  return covered
}

/** Why it is not whole, where fewer entries were found than are known of. */
function missing(
  document: DocumentId,
  { shares }: Summary,
  counts: ReadonlyMap<OriginId, number>,
): ReadReply | undefined {
  const short = [...(shares ?? [])].find(([origin, { count }]) => counts.get(origin) !== count)
  if (short !== undefined) return corrupt(short[0], short[1].lastSeq)
  if (shares?.size === counts.size) return undefined
  return damaged(`what is known of ${document} does not match its entries`)
}

/** Something other than an entry failed its checksum, or LevelDB failed its own. */
export function damaged(message: string): ReadReply {
  return { type: "failed", code: "corrupt", message }
}
