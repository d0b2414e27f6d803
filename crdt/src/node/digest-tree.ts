/**
 * The summed tree over the leaves of all documents: a document falls into one of 2^16 buckets, a
 * bucket is the sum of its leaves' hashes mod 2^128, and each node above is the sum of its 16
 * children. Sums don't care for order, and a changed leaf costs five additions. Two nodes compare
 * from the root down, so equal ones exchange one sum. 1.1 MiB, however many documents. Rule [G2].
 */
import { assert } from "../base/index.ts"
import { bucketCount, bucketOf, DIGEST_BYTES, hashOfLeaf } from "../log/index.ts"
import type { DigestLeaf } from "../log/index.ts"

export const digestFanOut = 16
/** Level 0 is the root, level 4 the buckets. */
export const bucketLevel = 4

/** 128-bit sums as four words each, the least significant first. */
const WORDS = DIGEST_BYTES / 4

export class DigestTree {
  readonly #levels = Array.from(
    { length: bucketLevel + 1 },
    (_, level) => new Uint32Array(WORDS * digestFanOut ** level),
  )

  /** A document's leaf changed, came or went. */
  replace(before: DigestLeaf | undefined, after: DigestLeaf | undefined): void {
    if (before !== undefined) this.#add(bucketOf(before.document), hashOfLeaf(before), -1)
    if (after !== undefined) this.#add(bucketOf(after.document), hashOfLeaf(after), 1)
  }

  /** What a store says that a bucket holds, of which the tree holds nothing yet. */
  load(bucket: number, sum: Uint8Array): void {
    this.#add(bucket, sum, 1)
  }

  #add(bucket: number, value: Uint8Array, sign: 1 | -1): void {
    const words = new DataView(value.buffer, value.byteOffset, DIGEST_BYTES)
    let index = bucket
    for (const sums of this.#levels.toReversed()) {
      let carry = 0
      for (let word = 0; word < WORDS; word++) {
        const at = index * WORDS + word
        const sum = (sums[at] ?? 0) + sign * words.getUint32(word * 4, true) + carry
        sums[at] = sum
        carry = Math.floor(sum / 2 ** 32)
      }
      index = Math.floor(index / digestFanOut)
    }
  }

  /** The first `length` bytes of the sum at a place of the tree. */
  sum(level: number, index: number, length: number): Uint8Array {
    const sums = this.#levels[level]
    assert(sums !== undefined && index < digestFanOut ** level, "a place of the tree")
    const bytes = new DataView(new ArrayBuffer(DIGEST_BYTES))
    for (let word = 0; word < WORDS; word++) {
      bytes.setUint32(word * 4, sums[index * WORDS + word] ?? 0, true)
    }
    return new Uint8Array(bytes.buffer, 0, length)
  }

  /** The sums of a place's children, in order. */
  children(level: number, index: number, length: number): Uint8Array[] {
    assert(level < bucketLevel, "buckets have leaves, not children")
    return Array.from({ length: digestFanOut }, (_, child) =>
      this.sum(level + 1, index * digestFanOut + child, length),
    )
  }
}

assert(digestFanOut ** bucketLevel === bucketCount, "the tree ends in the buckets")
