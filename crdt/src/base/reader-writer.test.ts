import fc from "fast-check"
import { expect, test } from "vitest"
import { InvariantError } from "./assert.ts"
import { DecodeError } from "./errors.ts"
import { Reader } from "./reader.ts"
import { Writer } from "./writer.ts"

const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 53 - 1]
const anyUint = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat(), fc.nat(300))
const anyText = fc.string({ unit: "grapheme", maxLength: 30 })

const anyItem = fc.oneof(
  fc.record({ type: fc.constant("u8" as const), value: fc.nat(255) }),
  fc.record({ type: fc.constant("varUint" as const), value: anyUint }),
  fc.record({ type: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({ type: fc.constant("string" as const), value: anyText }),
)

function hexOf(value: number): string {
  return Buffer.from(new Writer().varUint(value).finish()).toString("hex")
}

/** The error that `decode` throws; anything but a DecodeError is a bug. */
function codeOf(decode: () => unknown): string {
  try {
    decode()
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
  return "decoded"
}

test("what is written is read, item by item, to the last byte", () => {
  fc.assert(
    fc.property(fc.array(anyItem), fc.nat(64), (items, sizeHint) => {
      const writer = new Writer(sizeHint)
      for (const item of items) {
        if (item.type === "u8") writer.u8(item.value)
        else if (item.type === "varUint") writer.varUint(item.value)
        else if (item.type === "bytes") writer.bytes(item.value)
        else writer.string(item.value)
      }
      const bytes = writer.finish()
      expect(bytes.length).toBe(writer.length)
      const reader = new Reader(bytes)
      const values = items.map((item) => {
        if (item.type === "u8") return reader.u8()
        if (item.type === "varUint") return reader.varUint()
        return item.type === "bytes" ? reader.bytes(200) : reader.string(2000)
      })
      reader.end()
      expect(values).toEqual(items.map((item) => item.value))
    }),
  )
})

test("varUint is lib0's: seven bits a byte, least significant first", () => {
  expect([0, 127, 128, 300].map(hexOf)).toEqual(["00", "7f", "8001", "ac02"])
  expect(hexOf(2 ** 53 - 1)).toBe("ffffffffffffff0f")
})

test("finish is a copy, and the writer goes on", () => {
  const writer = new Writer(0).u8(1)
  const first = writer.finish()
  expect(writer.u8(2).finish()).toEqual(Uint8Array.of(1, 2))
  expect(first).toEqual(Uint8Array.of(1))
})

test.each([-1, 256, Number.NaN])("u8 of %d is our bug, not data", (value) => {
  expect(() => new Writer().u8(value)).toThrow(InvariantError)
})

test.each([-1, 0.5, 2 ** 53, Number.NaN])("varUint of %d is our bug, not data", (value) => {
  expect(() => new Writer().varUint(value)).toThrow(InvariantError)
})

test.each([
  ["2^53", "8080808080808010"],
  ["nine groups", "ffffffffffffffff01"],
  ["endless", "ff".repeat(20)],
])("a varUint of %s is too long", (_name, hex) => {
  expect(codeOf(() => new Reader(Buffer.from(hex, "hex")).varUint())).toBe("varint-too-long")
})

test("lengths are checked against the limit first, then against what is there", () => {
  const claims = (length: number) => new Reader(new Writer().varUint(length).u8(1).finish())
  expect(codeOf(() => claims(2).bytes(1))).toBe("length-over-limit")
  expect(codeOf(() => claims(2).bytes(2))).toBe("truncated")
  expect(codeOf(() => claims(1).bytes(1))).toBe("decoded")
  expect(codeOf(() => claims(2 ** 53 - 1).bytes(2 ** 53 - 1))).toBe("truncated")
  expect(codeOf(() => claims(2 ** 40).string(100))).toBe("length-over-limit")
})

test("left-over bytes are an error", () => {
  const reader = new Reader(Uint8Array.of(1, 2))
  reader.u8()
  expect(codeOf(() => reader.end())).toBe("trailing-bytes")
  reader.u8()
  expect(codeOf(() => reader.end())).toBe("decoded")
})

test("a string's error names where the string began", () => {
  const reader = new Reader(Uint8Array.of(9, 1, 0xff))
  reader.u8()
  expect(() => reader.string(10)).toThrow(expect.objectContaining({ code: "not-utf8", offset: 1 }))
})

test("hostile bytes only ever give values or DecodeErrors, and never read past the end", () => {
  const step = fc.constantFrom("u8", "varUint", "bytes", "string", "raw")
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { maxLength: 40 }).map((bytes) => {
      return Uint8Array.from(bytes)
    }),
  )
  fc.assert(
    fc.property(hostile, fc.array(step, { maxLength: 10 }), (bytes, steps) => {
      const reader = new Reader(bytes)
      const code = codeOf(() => {
        for (const kind of steps) {
          if (kind === "u8") reader.u8()
          else if (kind === "varUint") reader.varUint()
          else if (kind === "bytes") reader.bytes(30)
          else if (kind === "string") reader.string(30)
          else reader.raw(3)
        }
      })
      expect(reader.offset).toBeLessThanOrEqual(bytes.length)
      expect(reader.offset + reader.remaining).toBe(bytes.length)
      const codes = ["decoded", "truncated", "varint-too-long", "length-over-limit", "not-utf8"]
      expect(codes).toContain(code)
    }),
    { numRuns: 1000 },
  )
})
