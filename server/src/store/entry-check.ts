/**
 * Stored entries are checked before they leave: each that fails is told once. The answers of reads
 * that met one, too.
 */
import { bytesEqual, DecodeError, limits } from "@causeway/crdt/base"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import { decodeRecord, genesisHash } from "@causeway/crdt/log"
import type { RecordFields } from "@causeway/crdt/log"
import { hashOf, isSound, RECORD_OFFSET, seal } from "./seal.ts"
import type { SealingOrigin } from "./seal.ts"
import type { ReadFailed, ReadReply } from "./thread/messages.ts"

/** Past it, corrupt entries are reported again when they are met again. */
const reportedMax = 4096

export type CheckedOrigin = SealingOrigin & { readonly origin: OriginId }

export class EntryChecker {
  readonly #onCorrupt: (origin: OriginId, seq: number) => void
  readonly #reported = new Set<string>()

  constructor(onCorrupt: (origin: OriginId, seq: number) => void) {
    this.#onCorrupt = onCorrupt
  }

  /** Whether the stored entry is the one that was sealed for (origin, seq). O(record). */
  check(by: CheckedOrigin, seq: number, entry: Buffer): boolean {
    if (isSound(by, seq, entry)) return true
    this.report(by.origin, seq)
    return false
  }

  report(origin: OriginId, seq: number): void {
    const name = `${origin} ${seq}`
    if (this.#reported.has(name)) return
    if (this.#reported.size >= reportedMax) this.#reported.clear()
    this.#reported.add(name)
    this.#onCorrupt(origin, seq)
  }
}

/** The record of a stored entry, unless it is damaged. */
export function readableEntry(
  by: SealingOrigin,
  seq: number,
  entry: Buffer,
): RecordFields | undefined {
  if (!isSound(by, seq, entry)) return undefined
  try {
    return decodeRecord(entry.subarray(RECORD_OFFSET))
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/**
 * Whether `entry` is chained to this hash. The hash before a run leaves the store too, and if it is
 * sound it may do so even where the record it stands for is damaged.
 */
export function isChained(
  by: SealingOrigin,
  previous: Uint8Array,
  seq: number,
  entry: Buffer,
): boolean {
  const sealed = seal(previous, by, seq, entry.subarray(RECORD_OFFSET))
  return bytesEqual(sealed.hash, hashOf(entry))
}

export function hashBefore(previous: Buffer | undefined): Uint8Array {
  return previous === undefined ? genesisHash : new Uint8Array(hashOf(previous))
}

export function tooLarge(document: DocumentId): ReadReply {
  const message = `${document} has more than ${limits.documentReadBytesMax} bytes of entries`
  return { type: "failed", code: "document-too-large", message }
}

export function corrupt(origin: OriginId, seq: number): ReadFailed {
  const message = `entry ${seq} of ${origin} failed its checksum`
  return { type: "failed", code: "corrupt", message }
}
