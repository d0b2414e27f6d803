import fc from "fast-check"
import { expect, test } from "vitest"
import { DecodeError, limits, Reader } from "../base/index.ts"
import { testDocument, testOrigin } from "../testing/store-fixtures.ts"
import type { ClusterFields } from "./cluster-record.ts"
import { decodeRecord, decodeRecordHead, decodeUpdate, encodeRecord } from "./record.ts"
import { isClusterRecord } from "./record.ts"
import { relogged } from "./renewal.ts"

const a1 = testOrigin("a", 1)
const a2 = testOrigin("a", 2)
const b1 = testOrigin("b", 1)

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex")
}

/** For ever, as those of record.test.ts. */
const golden = [
  [
    { kind: "cut", atMs: 300, origin: a1, keepSeq: 128 },
    `01 02 ac02 12 ${hexOf("a@0000000000000001")} 8001`,
  ],
  [{ kind: "member", atMs: 1, address: "ä:1" }, `01 03 01 04 ${hexOf("ä:1")}`],
  [{ kind: "member", atMs: 0, address: "" }, "01 03 00 00"],
  [
    { kind: "retire", atMs: 0, origins: [a1, a2] },
    `01 04 00 02 12 ${hexOf("a@0000000000000001")} 12 ${hexOf("a@0000000000000002")}`,
  ],
  [{ kind: "delete", atMs: 300, document: testDocument("x") }, "01 05 ac02 01 01 78"],
  [
    { kind: "delete", atMs: 0, document: testDocument("x", "automerge", 2) },
    "01 05 00 42 02 01 78",
  ],
  [{ kind: "create", atMs: 0, document: testDocument("x", "yjs", 300) }, "01 06 00 41 ac02 01 78"],
] as const

test.each(golden)("golden bytes of %o", (fields, spaced) => {
  const hex = spaced.replaceAll(" ", "")
  const bytes = new Uint8Array(Buffer.from(hex, "hex"))
  expect(Buffer.from(encodeRecord(fields)).toString("hex")).toBe(hex)
  expect(decodeRecord(bytes)).toEqual(fields)
  expect(decodeRecordHead(new Reader(bytes))).toEqual({ document: undefined, author: undefined })
  expect(decodeUpdate(bytes)).toBeUndefined()
  expect(isClusterRecord(bytes)).toBe(true)
  expect(relogged(bytes, true)).toEqual(bytes)
})

function codeOf(bytes: Uint8Array): string {
  try {
    decodeRecord(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
  return "decoded"
}

test.each(golden)("every proper prefix of %o is truncated, a byte more is left over", (fields) => {
  const bytes = encodeRecord(fields)
  for (let length = 0; length < bytes.length; length++) {
    expect(codeOf(bytes.slice(0, length))).toBe("truncated")
  }
  expect(codeOf(Uint8Array.of(...bytes, 0))).toBe("trailing-bytes")
})

function retireBytes(origins: readonly string[]): Uint8Array {
  const parts = origins.flatMap((origin) => [origin.length, ...Buffer.from(origin)])
  return Uint8Array.of(1, 4, 0, origins.length, ...parts)
}

test("[M4] a retire record names at least one origin, each once and in order, of one node", () => {
  expect(codeOf(retireBytes([a1, a2]))).toBe("decoded")
  for (const origins of [[], [a2, a1], [a1, a1], [a1, b1], ["a"]]) {
    expect(codeOf(retireBytes(origins))).toBe("bad-value")
  }
})

test("[R2] the first generation of a name is created by no record", () => {
  expect(codeOf(Uint8Array.of(1, 6, 0, 1, 1, 0x78))).toBe("bad-value")
  expect(codeOf(Uint8Array.of(1, 5, 0, 1, 1, 0x78))).toBe("decoded")
})

test("an address has at most addressBytesMax bytes", () => {
  const withAddress = (length: number) =>
    encodeRecord({ kind: "member", atMs: 0, address: "x".repeat(length) })
  expect(codeOf(withAddress(limits.addressBytesMax))).toBe("decoded")
  expect(codeOf(withAddress(limits.addressBytesMax + 1))).toBe("length-over-limit")
})

test("a kind of a later version is kept as it is, and belongs to no document", () => {
  fc.assert(
    fc.property(fc.integer({ min: 7, max: 255 }), fc.uint8Array({ maxLength: 40 }), (tag, rest) => {
      const bytes = Uint8Array.of(1, tag, ...rest)
      expect(decodeRecord(bytes)).toEqual({ kind: "unknown", tag })
      expect(isClusterRecord(bytes)).toBe(false)
      expect(relogged(bytes, true)).toEqual(bytes)
    }),
  )
})

test("hostile bytes give a record or a DecodeError, and what decodes means one thing", () => {
  const flips = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 })
  const samples: readonly ClusterFields[] = golden.map(([fields]) => fields)
  fc.assert(
    fc.property(fc.constantFrom(...samples), flips, (fields, changes) => {
      const bytes = encodeRecord(fields)
      for (const [offset, value] of changes) bytes[offset % bytes.length] = value
      fc.pre(codeOf(bytes) === "decoded")
      const decoded = decodeRecord(bytes)
      fc.pre(decoded.kind !== "unknown")
      expect(decodeRecord(encodeRecord(decoded))).toEqual(decoded)
    }),
    { numRuns: 2000 },
  )
})
