/**
 * What a log keeps beside entries and snapshots, written with the same batches: leaves, by which
 * nodes compare documents, and notes, small values that say where background work stands. A log
 * that is renewed keeps neither: both speak of what it held before. Rules [K7] [G2].
 */
import { compareDocuments } from "./compare-documents.ts"
import { bucketCount, bucketOf, DIGEST_BYTES, hashOfLeaf } from "./digest-leaf.ts"
import type { DigestLeaf } from "./digest-leaf.ts"
import type { DocumentId } from "../base/index.ts"

/** `transfer`: how far a state transfer is. `digested`: up to which vector leaves are current. */
export const noteNames = ["transfer", "digested"] as const
export type NoteName = (typeof noteNames)[number]
export type Notes = readonly (readonly [NoteName, Uint8Array])[]

export type SideBatch = {
  /** Each takes the place of its document's last one. */
  readonly leaves?: readonly DigestLeaf[]
  /** Undefined: gone. At most `noteBytesMax` each. */
  readonly notes?: readonly (readonly [NoteName, Uint8Array | undefined])[]
}

export class SideTables {
  readonly #notes = new Map<NoteName, Uint8Array>()
  readonly #buckets = new Map<number, Map<DocumentId, DigestLeaf>>()

  copy(): SideTables {
    const copy = new SideTables()
    for (const [name, value] of this.#notes) copy.#notes.set(name, value)
    for (const [bucket, leaves] of this.#buckets) copy.#buckets.set(bucket, new Map(leaves))
    return copy
  }

  clear(): void {
    this.#notes.clear()
    this.#buckets.clear()
  }

  write({ leaves = [], notes = [] }: SideBatch): void {
    for (const leaf of leaves) {
      const bucket = bucketOf(leaf.document)
      const held = this.#buckets.get(bucket) ?? new Map<DocumentId, DigestLeaf>()
      held.set(leaf.document, leaf)
      this.#buckets.set(bucket, held)
    }
    for (const [name, value] of notes) {
      if (value === undefined) this.#notes.delete(name)
      else this.#notes.set(name, value.slice())
    }
  }

  /** In stable order. */
  notes(): Notes {
    return noteNames.flatMap((name) => {
      const value = this.#notes.get(name)
      return value === undefined ? [] : [[name, value] as const]
    })
  }

  /** A bucket's leaves, in order of documents. */
  leaves(bucket: number): DigestLeaf[] {
    const leaves = [...(this.#buckets.get(bucket)?.values() ?? [])]
    return leaves.sort((left, right) => compareDocuments(left.document, right.document))
  }

  /** The sums of `count` buckets from `from` on that hold any, in order. */
  bucketSums(from: number, count: number): [number, Uint8Array][] {
    const sums: [number, Uint8Array][] = []
    for (let bucket = from; bucket < Math.min(from + count, bucketCount); bucket++) {
      const leaves = this.#buckets.get(bucket)
      if (leaves !== undefined) sums.push([bucket, sumOf([...leaves.values()].map(hashOfLeaf))])
    }
    return sums
  }
}

/** Added up mod 2^128, least significant byte first. */
export function sumOf(hashes: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(DIGEST_BYTES)
  for (const hash of hashes) {
    let carry = 0
    for (const [index, byte] of hash.entries()) {
      carry += (sum[index] ?? 0) + byte
      sum[index] = carry
      carry >>= 8
    }
  }
  return sum
}
