/**
 * What a renewal decides about an origin's stored entries, whatever they are stored in: how far
 * they are sound and chained, and what of those behind that is logged again (ADR 8). Rules [E1]
 * [E3] [E4].
 */
import type { OriginId } from "@causeway/crdt/base"
import { isOfAnother, relogged, Renewing } from "@causeway/crdt/log"
import type { Cut, Head, Renewal } from "@causeway/crdt/log"
import { isChained, readableEntry } from "./entry-check.ts"
import type { CheckedOrigin } from "./entry-check.ts"
import { hashOf, RECORD_OFFSET } from "./seal.ts"

/** A long scan says how far it is this often. */
const progressMs = 5000

/** Counts what a renewal looks at, logs again and loses. */
export class Salvage {
  readonly renewing = new Renewing()
  readonly #onProgress: (message: string) => void
  #salvaged = 0
  #seen = 0
  #saidMs = performance.now()

  constructor(onProgress: (message: string) => void) {
    this.#onProgress = onProgress
  }

  noteLogged(): void {
    this.#salvaged += 1
  }

  noteSeen(): void {
    this.#seen += 1
    if (this.#seen % 1024 !== 0 || performance.now() - this.#saidMs < progressMs) return
    this.#saidMs = performance.now()
    this.#onProgress(`looking through the log: ${this.#seen} entries so far`)
  }

  finish(cut: Cut | undefined): Renewal {
    return this.renewing.finish(this.#salvaged, cut)
  }
}

export type ScannedOrigin = CheckedOrigin & { readonly floor: Head; readonly head: Head }

/** Takes an origin's entries in order of seq and tells how far it is sound and chained. */
export class ChainScan {
  readonly #held: ScannedOrigin
  readonly #keepMax: number
  #head: Head
  #isBroken = false
  #isLeftDamaged = false

  /** `keepMax`: where it ends at the latest. */
  constructor(held: ScannedOrigin, keepMax: number) {
    this.#held = held
    this.#keepMax = keepMax
    this.#head = held.floor
  }

  take(seq: number, entry: Buffer): void {
    const isReadable = readableEntry(this.#held, seq, entry) !== undefined
    if (seq <= this.#held.floor.seq) this.#isLeftDamaged ||= !isReadable
    else if (!this.#isBroken && this.#head.seq < this.#keepMax) {
      this.#isBroken = !isReadable || !this.#goesOn(seq, entry)
      if (!this.#isBroken) this.#head = { seq, hash: new Uint8Array(hashOf(entry)) }
    }
  }

  #goesOn(seq: number, entry: Buffer): boolean {
    return seq === this.#head.seq + 1 && isChained(this.#held, this.#head.hash, seq, entry)
  }

  /**
   * Where the origin ends from now on. Undefined: at its beginning, as nothing between there and
   * the floor can be an end, since no hash of the chain is there.
   */
  get end(): Head | undefined {
    if (this.#isLeftDamaged || this.#keepMax < this.#held.floor.seq) return undefined
    return this.#head.seq === 0 ? undefined : this.#head
  }
}

/** Takes an origin's entries behind where it ends, and gives what is logged again. */
export class TailScan {
  readonly #salvage: Salvage
  readonly #held: ScannedOrigin
  readonly #own: OriginId
  /** What was seen of it without a gap, from the floor on. */
  #seq: number
  #hasLost: boolean
  /** The first seq above the floor that is lost. */
  firstLost: number | undefined

  /** `own`: under which it is logged again. */
  constructor(
    salvage: Salvage,
    held: ScannedOrigin,
    own: OriginId,
    keep: number,
    hasLost: boolean,
  ) {
    this.#salvage = salvage
    this.#own = own
    this.#held = held
    this.#seq = Math.max(keep, held.floor.seq)
    this.#hasLost = hasLost
  }

  /** The record to log again, if the entry can be read. */
  take(seq: number, entry: Buffer): Uint8Array | undefined {
    if (seq > this.#held.floor.seq) {
      this.#noteMissing(seq - 1)
      this.#seq = seq
    }
    if (readableEntry(this.#held, seq, entry) === undefined) {
      this.#lose(seq, 1)
      return undefined
    }
    const record = entry.subarray(RECORD_OFFSET)
    if (isOfAnother(this.#own, this.#held.origin, record)) return undefined
    this.#salvage.noteLogged()
    return relogged(record, this.#hasLost)
  }

  /** All entries were taken. */
  finish(): void {
    this.#noteMissing(this.#held.head.seq)
  }

  #noteMissing(to: number): void {
    if (to > this.#seq) this.#lose(this.#seq + 1, to - this.#seq)
  }

  #lose(seq: number, count: number): void {
    this.#hasLost = true
    this.#salvage.renewing.lose({ origin: this.#held.origin, seq }, count)
    if (seq > this.#held.floor.seq) this.firstLost ??= seq
  }
}
