import fc from "fast-check"
import { expect, test } from "vitest"
import {
  DecodeError,
  documentIdOf,
  engineNames,
  generationOf,
  limits,
  parseClientId,
  Reader,
} from "../base/index.ts"
import {
  bodyOf,
  decodeRecord,
  decodeRecordHead,
  encodeRecord,
  recordOverheadMax,
} from "./record.ts"
import type { UpdateFields } from "./record.ts"

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("malformed test value")
  return value
}

const authored: UpdateFields = {
  kind: "update",
  document: known(documentIdOf("yjs", "notes/ä")),
  author: { client: known(parseClientId("000102030405060708090a0b0c0d0e0f")), seq: 300 },
  atMs: 1_700_000_000_123,
  body: Uint8Array.of(0xde, 0xad),
}
const stock: UpdateFields = {
  kind: "update",
  document: known(documentIdOf("automerge", "x")),
  author: undefined,
  atMs: 0,
  body: new Uint8Array(0),
}

/** For ever: logs on disks are made of these bytes, and hash chains cover them. */
const golden = [
  [
    authored,
    "01 01 01 08 6e6f7465732fc3a4 " +
      "01 000102030405060708090a0b0c0d0e0f ac02 fbd095ffbc31 02 dead",
  ],
  [stock, "01 01 02 01 78 00 00 00"],
  [
    { ...stock, document: generationOf(known(documentIdOf("automerge", "x")), 300) },
    "01 01 42 ac02 01 78 00 00 00",
  ],
] as const

test.each(golden)("golden bytes of %o", (fields, spaced) => {
  const hex = spaced.replaceAll(" ", "")
  expect(Buffer.from(encodeRecord(fields)).toString("hex")).toBe(hex)
  expect(decodeRecord(new Uint8Array(Buffer.from(hex, "hex")))).toEqual(fields)
})

const anyFields: fc.Arbitrary<UpdateFields> = fc.record({
  kind: fc.constant("update"),
  document: fc
    .tuple(
      fc.constantFrom(...engineNames),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: limits.generationMax }),
    )
    .map(([engine, name, generation]) => {
      return generationOf(known(documentIdOf(engine, name)), generation)
    }),
  author: fc.option(
    fc.record({
      client: fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => known(parseClientId(Buffer.from(bytes).toString("hex")))),
      seq: fc.maxSafeNat(),
    }),
    { nil: undefined },
  ),
  atMs: fc.maxSafeNat(),
  body: fc.uint8Array({ maxLength: 100 }),
})

test("a record goes there and back, and its head is its beginning", () => {
  fc.assert(
    fc.property(anyFields, (fields) => {
      const bytes = encodeRecord(fields)
      expect(decodeRecord(bytes)).toEqual(fields)
      const { document, author } = fields
      expect(decodeRecordHead(new Reader(bytes))).toEqual({ document, author })
      expect(encodeRecord(fields)).toEqual(bytes)
      expect(bytes.length).toBeLessThanOrEqual(fields.body.length + recordOverheadMax)
    }),
  )
})

test("the overhead's bound holds for the longest name and the largest numbers", () => {
  const fields: UpdateFields = {
    kind: "update",
    document: generationOf(
      known(documentIdOf("yjs", "n".repeat(limits.documentNameBytesMax))),
      limits.generationMax,
    ),
    author: { client: known(authored.author).client, seq: Number.MAX_SAFE_INTEGER },
    atMs: Number.MAX_SAFE_INTEGER,
    body: new Uint8Array(limits.updateBytesMax),
  }
  const bytes = encodeRecord(fields)
  expect(bytes.length - fields.body.length).toBeLessThanOrEqual(recordOverheadMax)
  expect(bodyOf(bytes).length).toBe(limits.updateBytesMax)
  const over = encodeRecord({ ...fields, body: new Uint8Array(limits.updateBytesMax + 1) })
  expect(() => decodeRecord(over)).toThrow(expect.objectContaining({ code: "length-over-limit" }))
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

test("every proper prefix is truncated, and a byte too many is left over", () => {
  const bytes = encodeRecord(authored)
  for (let length = 0; length < bytes.length; length++) {
    expect(codeOf(bytes.slice(0, length))).toBe("truncated")
  }
  expect(codeOf(Uint8Array.of(...bytes, 0))).toBe("trailing-bytes")
})

test.each([
  ["version", 0, 2, "bad-value"],
  ["kind", 1, 0, "bad-value"],
  ["engine", 2, 3, "unknown-engine"],
  ["empty name", 3, 0, "bad-value"],
  ["name that is not UTF-8", 4, 0xff, "not-utf8"],
  ["author flag", 12, 2, "bad-value"],
])("a wrong %s is refused", (_name, offset, value, code) => {
  const bytes = encodeRecord(authored)
  bytes[offset] = value
  expect(codeOf(bytes)).toBe(code)
})

test("hostile bytes give a record or a DecodeError, and what decodes means one thing", () => {
  const flips = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 })
  fc.assert(
    fc.property(anyFields, flips, (fields, changes) => {
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

test("[R1] a document has one name in bytes", () => {
  const withDocument = (...bytes: number[]) => Uint8Array.of(1, 1, ...bytes, 1, 0x78, 0, 0, 0)
  expect(codeOf(withDocument(0x41, 2))).toBe("decoded")
  for (const generation of [0, 1]) {
    expect(codeOf(withDocument(0x41, generation))).toBe("bad-value")
  }
  expect(codeOf(withDocument(0x41, 0x81, 0x80, 0x04))).toBe("length-over-limit")
  expect(codeOf(withDocument(0x43, 2))).toBe("unknown-engine")
  expect(codeOf(withDocument(0x81, 2))).toBe("unknown-engine")
})
