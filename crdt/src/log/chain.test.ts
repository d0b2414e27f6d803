import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesToHex, InvariantError, originOf, parseNodeId } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import { chainHash, chainRecords, emptyHead, genesisHash, HASH_BYTES } from "./chain.ts"

function origin(name: string): OriginId {
  const node = parseNodeId(name)
  const parsed = node && originOf(node, "0123456789abcdef")
  if (parsed === undefined) throw new TypeError(name)
  return parsed
}

const a = origin("a")
const anyRecords = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 })

test("golden hashes: chains on disks and between nodes are made of them", () => {
  const first = chainHash(genesisHash, a, 1, Uint8Array.of(1, 2, 3))
  expect(bytesToHex(first)).toBe("011854e9c33fbfad127e90da4a6964b4")
  expect(bytesToHex(chainHash(first, a, 300, new Uint8Array(0)))).toBe(
    "835d54e43b5e9a1052b23b1c09f1fdc7",
  )
})

test("a hash covers predecessor, origin, seq and record", () => {
  const record = Uint8Array.of(1, 2, 3)
  const hashes = [
    chainHash(genesisHash, a, 1, record),
    chainHash(new Uint8Array(HASH_BYTES).fill(1), a, 1, record),
    chainHash(genesisHash, origin("b"), 1, record),
    chainHash(genesisHash, a, 2, record),
    chainHash(genesisHash, a, 1, Uint8Array.of(1, 2, 4)),
    chainHash(genesisHash, a, 1, Uint8Array.of(1, 2, 3, 0)),
  ].map(bytesToHex)
  expect(new Set(hashes).size).toBe(hashes.length)
  expect(hashes.every((hash) => hash.length === 2 * HASH_BYTES)).toBe(true)
})

test("chaining in parts is chaining at once", () => {
  fc.assert(
    fc.property(anyRecords, anyRecords, (first, second) => {
      const whole = chainRecords(emptyHead, a, [...first, ...second])
      expect(chainRecords(chainRecords(emptyHead, a, first), a, second)).toEqual(whole)
      expect(whole.seq).toBe(first.length + second.length)
    }),
  )
})

test("a change anywhere changes the head", () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(), fc.integer({ min: 1, max: 255 }), (records, at, flip) => {
      fc.pre(records.length > 0)
      const index = at % records.length
      const changed = records.map((record, position) =>
        position === index ? Uint8Array.of((record[0] ?? 0) ^ flip, ...record.slice(1)) : record,
      )
      expect(chainRecords(emptyHead, a, changed).hash).not.toEqual(
        chainRecords(emptyHead, a, records).hash,
      )
    }),
  )
})

test("a previous hash of another length is our bug", () => {
  expect(() => chainHash(new Uint8Array(15), a, 1, new Uint8Array(0))).toThrow(InvariantError)
})
