/**
 * Dots and version vectors. A dot names one entry: (origin, seq), seq = 1, 2, 3 … without a gap.
 * A vector says for each origin up to which seq its holder has everything: `vv[o] = s`.
 * Source: Parker et al. 1983; Almeida et al. 2018 (delta-state CRDTs).
 */
import { assert, DecodeError, limits, parseOriginId } from "../base/index.ts"
import type { OriginId, Reader, Writer } from "../base/index.ts"

export type Dot = { readonly origin: OriginId; readonly seq: number }

export class VersionVector {
  readonly #seqs = new Map<OriginId, number>()

  constructor(entries: Iterable<readonly [OriginId, number]> = []) {
    for (const [origin, seq] of entries) this.raise(origin, seq)
  }

  /** 0 where nothing of `origin` is held. */
  get(origin: OriginId): number {
    return this.#seqs.get(origin) ?? 0
  }

  get size(): number {
    return this.#seqs.size
  }

  covers(dot: Dot): boolean {
    return this.get(dot.origin) >= dot.seq
  }

  /** True if everything `other` has is held here too. O(origins of other). */
  coversAll(other: VersionVector): boolean {
    for (const [origin, seq] of other.#seqs) if (this.get(origin) < seq) return false
    return true
  }

  /** Raises `origin` to `seq`; a lower seq changes nothing. */
  raise(origin: OriginId, seq: number): void {
    assert(Number.isSafeInteger(seq) && seq >= 0, "seq out of range")
    if (seq > this.get(origin)) this.#seqs.set(origin, seq)
  }

  raiseAll(other: VersionVector): void {
    for (const [origin, seq] of other.#seqs) this.raise(origin, seq)
  }

  clone(): VersionVector {
    return new VersionVector(this.#seqs)
  }

  /** In the stable order of origins. */
  entries(): [OriginId, number][] {
    return [...this.#seqs].sort(([left], [right]) => (left < right ? -1 : 1))
  }

  encode(writer: Writer): void {
    writer.varUint(this.#seqs.size)
    for (const [origin, seq] of this.entries()) writer.string(origin).varUint(seq)
  }

  /** @throws DecodeError; origins must be well-formed, in order and not repeated. */
  static decode(reader: Reader): VersionVector {
    const seqs = decodeByOrigin(reader, limits.originsMax, () => {
      const seq = reader.varUint()
      if (seq < 1) throw new DecodeError("bad-value", reader.offset, "seq")
      return seq
    })
    return new VersionVector(seqs)
  }
}

/** What `read` finds behind each origin. @throws DecodeError; origins in order, none twice. */
export function decodeByOrigin<Value>(
  reader: Reader,
  countMax: number,
  read: () => Value,
): Map<OriginId, Value> {
  let previous = ""
  const entries = reader.list(countMax, (): [OriginId, Value] => {
    const origin = decodeOrigin(reader)
    if (origin <= previous) throw new DecodeError("bad-value", reader.offset, "origin order")
    previous = origin
    return [origin, read()]
  })
  return new Map(entries)
}

export function decodeOrigin(reader: Reader): OriginId {
  const origin = parseOriginId(reader.string(limits.textBytesMax))
  if (origin === undefined) throw new DecodeError("bad-value", reader.offset, "origin")
  return origin
}
