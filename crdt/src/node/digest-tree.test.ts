import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesToHex, documentIdOf } from "../base/index.ts"
import { bucketCount, bucketOf, DIGEST_BYTES, digestBytes } from "../log/digest-leaf.ts"
import type { DigestLeaf } from "../log/digest-leaf.ts"
import { bucketLevel, digestFanOut, DigestTree } from "./digest-tree.ts"

const anyLeaf = fc.record({ name: fc.nat(200), vector: fc.nat(3), content: fc.nat(3) })

function leafOf({ name, vector, content }: { name: number; vector: number; content: number }) {
  const document = documentIdOf("yjs", `d${name}`)
  if (document === undefined) throw new TypeError("a name")
  const digest = (number: number) => digestBytes(Uint8Array.of(number))
  return { document, vector: digest(vector), content: digest(content) }
}

const rootOf = (tree: DigestTree) => bytesToHex(tree.sum(0, 0, DIGEST_BYTES))

/** What the tree is to hold, added up by other means. */
function expectedAt(leaves: readonly DigestLeaf[], level: number, index: number): string {
  let sum = 0n
  for (const leaf of leaves) {
    const width = bucketCount / digestFanOut ** level
    if (Math.floor(bucketOf(leaf.document) / width) !== index) continue
    const only = new DigestTree()
    only.replace(undefined, leaf)
    sum += fromBytes(only.sum(0, 0, DIGEST_BYTES))
  }
  return (sum % 2n ** 128n).toString(16)
}

function fromBytes(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes.toReversed())}`)
}

test("[G2] every place of the tree is the sum of its leaves, in whatever order they came", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyLeaf, { selector: ({ name }) => name }), (drawn) => {
      const leaves = drawn.map(leafOf)
      const tree = new DigestTree()
      const reversed = new DigestTree()
      for (const leaf of leaves) tree.replace(undefined, leaf)
      for (const leaf of leaves.toReversed()) reversed.replace(undefined, leaf)
      expect(rootOf(tree)).toBe(rootOf(reversed))
      for (const [level, index] of [[0, 0], ...leaves.slice(0, 3).map(placeOf)] as const) {
        const sum = fromBytes(tree.sum(level ?? 0, index ?? 0, DIGEST_BYTES))
        expect(sum.toString(16)).toBe(expectedAt(leaves, level ?? 0, index ?? 0))
      }
    }),
    { numRuns: 50 },
  )
})

function placeOf({ document }: DigestLeaf, at: number): [number, number] {
  const level = (at % bucketLevel) + 1
  return [level, Math.floor(bucketOf(document) / digestFanOut ** (bucketLevel - level))]
}

test("[G2] what is replaced leaves nothing behind", () => {
  fc.assert(
    fc.property(fc.array(anyLeaf), anyLeaf, (drawn, last) => {
      const tree = new DigestTree()
      const held = new Map<string, DigestLeaf>()
      for (const leaf of [...drawn, last].map(leafOf)) {
        tree.replace(held.get(leaf.document), leaf)
        held.set(leaf.document, leaf)
      }
      const fresh = new DigestTree()
      for (const leaf of held.values()) fresh.replace(undefined, leaf)
      expect(rootOf(tree)).toBe(rootOf(fresh))
      const loaded = new DigestTree()
      for (const bucket of new Set([...held.values()].map(({ document }) => bucketOf(document)))) {
        loaded.load(bucket, fresh.sum(bucketLevel, bucket, DIGEST_BYTES))
      }
      expect(rootOf(loaded)).toBe(rootOf(fresh))
      for (const leaf of held.values()) tree.replace(leaf, undefined)
      expect(rootOf(tree)).toBe("0".repeat(2 * DIGEST_BYTES))
    }),
  )
})

test("[G2] a node's children are the sixteen places below it", () => {
  const tree = new DigestTree()
  const leaf = leafOf({ name: 1, vector: 1, content: 1 })
  tree.replace(undefined, leaf)
  const differing: number[] = []
  let index = 0
  for (let level = 0; level < bucketLevel; level++) {
    const children = tree.children(level, index, 8).map(bytesToHex)
    expect(children.length).toBe(digestFanOut)
    const child = children.findIndex((sum) => sum !== "0".repeat(16))
    expect(children.filter((sum) => sum !== "0".repeat(16)).length).toBe(1)
    index = index * digestFanOut + child
    differing.push(index)
  }
  expect(differing.at(-1)).toBe(bucketOf(leaf.document))
})

test("[G2] golden: leaves are compared between builds", () => {
  const tree = new DigestTree()
  tree.replace(undefined, leafOf({ name: 7, vector: 1, content: 2 }))
  expect(rootOf(tree)).toBe("ea2e2faf57291ef57b52a751f5b2ded9")
  expect(bucketOf(leafOf({ name: 7, vector: 1, content: 2 }).document)).toBe(18009)
})
