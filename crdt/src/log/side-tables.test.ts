import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesToHex } from "../base/index.ts"
import { testDocument } from "../testing/store-fixtures.ts"
import { bucketCount, bucketOf, digestBytes, hashOfLeaf } from "./digest-leaf.ts"
import type { DigestLeaf } from "./digest-leaf.ts"
import { SideTables, sumOf } from "./side-tables.ts"

function leaf(name: number, content: number): DigestLeaf {
  const digest = (number: number) => digestBytes(Uint8Array.of(number))
  return { document: testDocument(`d${name}`), vector: digest(0), content: digest(content) }
}

function fromBytes(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes.toReversed())}`)
}

test("[G2] sums are additions mod 2^128", () => {
  const hashes = fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { maxLength: 5 })
  fc.assert(
    fc.property(hashes, (drawn) => {
      const sum = drawn.map(fromBytes).reduce((one, other) => one + other, 0n)
      expect(fromBytes(sumOf(drawn))).toBe(sum % 2n ** 128n)
    }),
  )
})

test("[G2] a document has one leaf; its bucket tells it, and sums it", () => {
  const side = new SideTables()
  side.write({ leaves: [leaf(1, 1), leaf(2, 1)] })
  side.write({ leaves: [leaf(1, 2)] })
  const bucket = bucketOf(leaf(1, 0).document)
  expect(side.leaves(bucket)).toEqual([leaf(1, 2)])
  expect(side.bucketSums(bucket, 1)).toEqual([[bucket, hashOfLeaf(leaf(1, 2))]])
  expect(side.bucketSums(0, bucketCount).map(([at]) => at)).toEqual(
    [bucket, bucketOf(leaf(2, 0).document)].sort((left, right) => left - right),
  )
})

test("[K7] a note stays until it is replaced or taken away; a copy goes its own way", () => {
  const side = new SideTables()
  const value = Uint8Array.of(1)
  side.write({
    notes: [
      ["transfer", value],
      ["digested", value],
    ],
    leaves: [leaf(1, 1)],
  })
  value[0] = 9
  const copy = side.copy()
  side.write({ notes: [["digested", undefined]], leaves: [leaf(1, 2)] })
  expect(side.notes()).toEqual([["transfer", Uint8Array.of(1)]])
  expect(copy.notes().map(([name]) => name)).toEqual(["transfer", "digested"])
  expect(copy.leaves(bucketOf(leaf(1, 0).document))).toEqual([leaf(1, 1)])
  copy.clear()
  expect(copy.notes()).toEqual([])
  expect(copy.bucketSums(0, bucketCount)).toEqual([])
})
