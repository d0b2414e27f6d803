/**
 * Where origins were cut: behind that, one (origin, seq) stood for two entries, and what a client
 * says it has under that name may be the one that gave way. Learnt from `cut` records, whoever
 * logged them, and kept for good. Names of entries that never forked stay what they are. Rule [X5].
 */
import { limits } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { decodeRecord } from "../log/index.ts"
import type { LogEntry } from "../log/index.ts"

export class Cuts {
  readonly #keepSeqs = new Map<OriginId, number>()
  #hasNews = false

  constructor(
    cuts: readonly (readonly [OriginId, number])[],
    records: readonly Pick<LogEntry, "record">[],
  ) {
    for (const [origin, keepSeq] of cuts) this.#lower(origin, keepSeq)
    for (const { record } of records) this.onDurable(record)
    this.#hasNews = false
  }

  /** An entry of no document became durable here. */
  onDurable(record: Uint8Array): void {
    const fields = decodeRecord(record)
    if (fields.kind === "cut") this.#lower(fields.origin, fields.keepSeq)
  }

  /** More origins than a log may have can't have been cut: whoever says so lies. */
  #lower(origin: OriginId, keepSeq: number): void {
    const known = this.#keepSeqs.get(origin)
    const isNew = known === undefined && this.#keepSeqs.size < limits.originsMax
    if (!isNew && (known === undefined || known <= keepSeq)) return
    this.#keepSeqs.set(origin, keepSeq)
    this.#hasNews = true
  }

  /** Whether a cut was learnt since this was last asked. */
  takeNews(): boolean {
    const hadNews = this.#hasNews
    this.#hasNews = false
    return hadNews
  }

  /** Up to where an origin's names never stood for anything else; undefined: all of them. */
  keepSeqOf(origin: OriginId): number | undefined {
    return this.#keepSeqs.get(origin)
  }

  /** What a client says it has, as far as the names tell. O(origins) if any was cut. */
  cap(vector: VersionVector): VersionVector {
    const entries = vector.entries()
    if (!entries.some(([origin, seq]) => seq > (this.#keepSeqs.get(origin) ?? Infinity))) {
      return vector
    }
    const capped = new VersionVector()
    for (const [origin, seq] of entries) {
      capped.raise(origin, Math.min(seq, this.#keepSeqs.get(origin) ?? seq))
    }
    return capped
  }
}
