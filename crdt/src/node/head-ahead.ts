/**
 * The head of a log behind a run that is on its way to the disk. The store works out its hash too,
 * and most often says it before anybody asks here: so it is worked out when it is asked for.
 */
import type { OriginId } from "../base/index.ts"
import { chainRecords } from "../log/index.ts"
import type { Head, LogRun, Sha256 } from "../log/index.ts"

export class HeadAhead implements Head {
  readonly seq: number
  readonly #origin: OriginId
  readonly #sha256: Sha256 | undefined
  /** What the hash is made of, until it is. */
  #parts: { readonly before: Head; readonly records: readonly Uint8Array[] } | undefined
  #hash: Uint8Array

  /** `run` follows on `before`. */
  constructor(before: Head, run: LogRun, sha256: Sha256 | undefined) {
    this.seq = before.seq + run.records.length
    this.#origin = run.origin
    this.#sha256 = sha256
    this.#parts = { before, records: run.records }
    this.#hash = before.hash
  }

  /** O(records) when it is first asked for. */
  get hash(): Uint8Array {
    if (this.#parts === undefined) return this.#hash
    const { before, records } = this.#parts
    this.#hash = chainRecords(before, this.#origin, records, this.#sha256).hash
    this.#parts = undefined
    return this.#hash
  }
}
