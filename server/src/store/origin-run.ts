/**
 * The answer of an origin read, collected from stored entries that come in order of seq, the one
 * before the first asked for among them. It ends before an entry that is missing or damaged.
 */
import { corrupt, hashBefore, isChained } from "./entry-check.ts"
import type { CheckedOrigin, EntryChecker } from "./entry-check.ts"
import { RECORD_OFFSET } from "./seal.ts"
import { EntryPacker } from "./thread/messages.ts"
import type { ReadReply } from "./thread/messages.ts"

export class OriginRun {
  readonly #checker: EntryChecker
  readonly #held: CheckedOrigin
  readonly #fromSeq: number
  readonly #bytesMax: number
  readonly #packer = new EntryPacker()
  #previousHash: Uint8Array | undefined
  #failed: ReadReply | undefined

  /** `previousHash`: the hash before `fromSeq` where no entry is there to tell it. */
  constructor(
    checker: EntryChecker,
    held: CheckedOrigin,
    wanted: { readonly fromSeq: number; readonly bytesMax: number },
    previousHash?: Uint8Array,
  ) {
    this.#checker = checker
    this.#held = held
    this.#fromSeq = wanted.fromSeq
    this.#bytesMax = wanted.bytesMax
    this.#previousHash = previousHash
  }

  /** False once nothing more is wanted. */
  take(seq: number, entry: Buffer): boolean {
    if (seq < this.#fromSeq) {
      this.#previousHash ??= hashBefore(entry)
      return true
    }
    const packer = this.#packer
    const record = entry.subarray(RECORD_OFFSET)
    if (packer.count > 0 && packer.recordBytes + record.length > this.#bytesMax) return false
    const isNext = seq === this.#fromSeq + packer.count
    if (!isNext || !this.#checker.check(this.#held, seq, entry)) {
      if (packer.count === 0) this.#failed = corrupt(this.#held.origin, this.#fromSeq)
      return false
    }
    if (packer.count === 0 && !isChained(this.#held, this.#previous, seq, entry)) {
      this.#failed = corrupt(this.#held.origin, this.#fromSeq - 1)
      return false
    }
    packer.push(0, seq, record)
    return true
  }

  get #previous(): Uint8Array {
    return this.#previousHash ?? hashBefore(undefined)
  }

  /** Whether no entry was taken, and none failed. */
  get isEmpty(): boolean {
    return this.#packer.count === 0 && this.#failed === undefined
  }

  reply(): ReadReply {
    if (this.#failed !== undefined) return this.#failed
    return { type: "origin", previousHash: this.#previous, bytes: this.#packer.finish() }
  }
}
