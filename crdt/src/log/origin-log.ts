/**
 * One origin's part of a MemoryLog: the entries behind its floor without a gap, each with the hash
 * of the chain there, and those below the floor that are left because they are not folded or belong
 * to no document.
 */
import { assert } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { chainHash, emptyHead } from "./chain.ts"
import type { Head } from "./chain.ts"

type Stored = { readonly record: Uint8Array; readonly hash: Uint8Array }

export class OriginLog {
  readonly #origin: OriginId
  #floor: Head = emptyHead
  #entries: Stored[] = []
  #left = new Map<number, Uint8Array>()
  /** Everything up to here is folded, or of no document. Never ahead of the truth. */
  foldedTo = 0
  #bytes = 0

  constructor(origin: OriginId) {
    this.#origin = origin
  }

  copy(): OriginLog {
    const copy = new OriginLog(this.#origin)
    copy.#floor = this.#floor
    copy.#entries = this.#entries.slice()
    copy.#left = new Map(this.#left)
    copy.foldedTo = this.foldedTo
    copy.#bytes = this.#bytes
    return copy
  }

  /** Of the records that are there. */
  get bytes(): number {
    return this.#bytes
  }

  get floor(): Head {
    return this.#floor
  }

  get head(): Head {
    const last = this.#entries.at(-1)
    if (last === undefined) return this.#floor
    return { seq: this.#floor.seq + this.#entries.length, hash: last.hash }
  }

  /** The chain's hash at `seq`, from the floor on. */
  hashAt(seq: number): Uint8Array | undefined {
    if (seq === this.#floor.seq) return this.#floor.hash
    return this.#entries[seq - this.#floor.seq - 1]?.hash
  }

  record(seq: number): Uint8Array | undefined {
    return this.#entries[seq - this.#floor.seq - 1]?.record ?? this.#left.get(seq)
  }

  /** The seqs that are there, in order. */
  seqs(): number[] {
    const left = [...this.#left.keys()].sort((one, other) => one - other)
    return [...left, ...this.#entries.map((_, index) => this.#floor.seq + 1 + index)]
  }

  /** Gives the seq. */
  push(record: Uint8Array): number {
    const { seq, hash } = this.head
    this.#bytes += record.length
    this.#entries.push({ record, hash: chainHash(hash, this.#origin, seq + 1, record) })
    return seq + 1
  }

  /** The floor moves to `head`, ahead of what is held for all it knows; entries below are left. */
  moveFloor(head: Head): void {
    assert(head.seq >= this.#floor.seq, "a floor never sinks")
    const below = this.#entries.splice(0, head.seq - this.#floor.seq)
    for (const [index, { record }] of below.entries()) {
      this.#left.set(this.#floor.seq + 1 + index, record)
    }
    this.#floor = head
  }

  /** An entry of no document comes without its neighbours. False if it is held already. */
  putBelow(seq: number, record: Uint8Array): boolean {
    assert(seq <= this.#floor.seq, "what is above the floor comes in order")
    if (this.#left.has(seq)) return false
    this.#left.set(seq, record)
    this.#bytes += record.length
    return true
  }

  /** An entry below the floor is not needed any more. */
  drop(seq: number): void {
    assert(seq <= this.#floor.seq, "only what is below the floor is dropped")
    this.#bytes -= this.#left.get(seq)?.length ?? 0
    this.#left.delete(seq)
  }

  /** It ends at `seq`, which is 0 or not below the floor. */
  cut(seq: number): void {
    this.foldedTo = 0
    if (seq === 0) {
      this.#floor = emptyHead
      this.#entries = []
      this.#left.clear()
      this.#bytes = 0
      return
    }
    assert(seq >= this.#floor.seq, "a log is not cut below its floor")
    for (const { record } of this.#entries.splice(seq - this.#floor.seq)) {
      this.#bytes -= record.length
    }
  }
}
