import { deflateRawSync, inflateRawSync } from "node:zlib"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { Writer } from "../../base/writer.ts"
import { countRows, varInt, type Column } from "./columns.ts"
import { inflateRaw } from "./inflate.ts"

const seed = 20_250_106

/** Text with repeats near and far, and noise: all kinds of blocks and distances. */
const anyBytes = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(60)), { maxLength: 40, size: "max" })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))))

describe("inflate", () => {
  test("is the inverse of zlib's deflate, at every level and strategy", () => {
    const property = fc.property(anyBytes, fc.nat(9), fc.nat(4), (bytes, level, strategy) => {
      const deflated = deflateRawSync(bytes, { level, strategy })
      expect(Buffer.from(inflateRaw(deflated, bytes.length)).equals(bytes)).toBe(true)
    })
    fc.assert(property, { seed, numRuns: 300 })
  })

  test("gives what zlib gives for damaged input, or refuses it", () => {
    const anyDamage = fc.array(fc.tuple(fc.nat(2000), fc.nat(7)), { minLength: 1, maxLength: 3 })
    let accepted = 0
    const property = fc.property(anyBytes, anyDamage, (bytes, damage) => {
      const deflated = Uint8Array.from(deflateRawSync(bytes))
      for (const [at, bit] of damage) {
        const index = at % deflated.length
        deflated[index] = (deflated[index] ?? 0) ^ (1 << bit)
      }
      const ours = attempt(() => inflateRaw(deflated, 1 << 20))
      if (ours === undefined) return
      accepted += 1
      const theirs = inflateRawSync(deflated)
      expect(Buffer.from(ours).equals(theirs)).toBe(true)
    })
    fc.assert(property, { seed, numRuns: 500 })
    expect(accepted).toBeGreaterThan(10)
  })

  test("stops at the limit, and not before", () => {
    const deflated = deflateRawSync(Buffer.alloc(100_000))
    expect(inflateRaw(deflated, 100_000)).toHaveLength(100_000)
    expect(() => inflateRaw(deflated, 99_999)).toThrow("length-over-limit")
    const stored = deflateRawSync(Buffer.alloc(1000), { level: 0 })
    expect(inflateRaw(stored, 1000)).toHaveLength(1000)
    expect(() => inflateRaw(stored, 999)).toThrow("length-over-limit")
  })
})

function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** Signed LEB128 in one byte, which is enough up to ±63. */
const signed = (value: number) => value & 0x7f

function rows(type: number, data: readonly number[], rowsMax: number): number {
  const columns: readonly Column[] = [{ spec: type, length: data.length }]
  return countRows(new Reader(Uint8Array.from(data)), columns, rowsMax)
}

describe("columns are counted without being unfolded", () => {
  const counted: readonly (readonly [string, number, number[], number])[] = [
    ["a run of values", 2, [signed(5), 7], 5],
    ["single values", 2, [signed(-3), 1, 2, 3], 3],
    ["nulls", 2, [0, 60], 60],
    ["all three", 1, [signed(2), 9, 0, 3, signed(-1), 4], 6],
    ["differences", 3, [signed(4), signed(-1)], 4],
    ["strings", 5, [signed(3), 2, 0x61, 0x62], 3],
    ["booleans", 4, [3, 4, 5], 12],
    ["groups, each as long as it says", 0, [signed(3), 5, signed(-2), 1, 9], 25],
    ["bytes, which other columns cut up", 7, [1, 2, 3], 0],
  ]

  test.each(counted)("%s", (_, type, data, expected) => {
    expect(rows(type, data, expected)).toBe(expected)
  })

  test.each(counted.filter(([, , , expected]) => expected > 0))("%s, up to a limit", (...row) => {
    const [, type, data, expected] = row
    expect(() => rows(type, data, expected - 1)).toThrow("too many operations")
  })

  test("runs of any length cost nothing", () => {
    const long = [...new Writer().varUint(2 ** 40).finish()]
    expect(() => rows(2, [0, ...long], 1000)).toThrow("too many operations")
    expect(() => rows(4, long, 1000)).toThrow("too many operations")
    expect(() => rows(0, [signed(1), ...long], 1000)).toThrow("too many operations")
  })

  test.each([0, 1, -1, 63, 64, -64, -65, 8191, -8192, 2 ** 31, -(2 ** 40), 2 ** 47])(
    "signed LEB128: %i",
    (value) => {
      const bytes: number[] = []
      for (let rest = BigInt(value); ; rest >>= 7n) {
        const last = rest >= -64n && rest < 64n
        bytes.push(Number(BigInt.asUintN(7, rest)) | (last ? 0 : 0x80))
        if (last) break
      }
      expect(varInt(new Reader(Uint8Array.from(bytes)))).toBe(value)
    },
  )
})
