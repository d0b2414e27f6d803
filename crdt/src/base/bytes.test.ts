import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesConcat } from "./bytes-concat.ts"
import { bytesCompare, bytesEqual, bytesFromHex, bytesToHex } from "./bytes.ts"

const anyBytes = fc.uint8Array({ maxLength: 40 })

test("order is that of Buffer.compare, and equality is order zero", () => {
  const near = fc.tuple(anyBytes, anyBytes, anyBytes).map(([shared, left, right]) => ({
    left: bytesConcat([shared, left]),
    right: bytesConcat([shared, right]),
  }))
  fc.assert(
    fc.property(near, ({ left, right }) => {
      expect(Math.sign(bytesCompare(left, right))).toBe(Buffer.compare(left, right))
      expect(bytesEqual(left, right)).toBe(Buffer.compare(left, right) === 0)
      expect(bytesEqual(left, left.slice())).toBe(true)
    }),
  )
})

test("hex goes there and back", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(bytesToHex(bytes)).toBe(Buffer.from(bytes).toString("hex"))
      expect(bytesFromHex(bytesToHex(bytes))).toEqual(bytes)
    }),
  )
})

test.each(["a", "ABCD", "0g", "0x00", " 00", "00\n"])("%j is no hex", (text) => {
  expect(bytesFromHex(text)).toBeUndefined()
})

test("concatenation is Buffer's, and a copy", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 5 }), (parts) => {
      expect(bytesConcat(parts)).toEqual(new Uint8Array(Buffer.concat(parts)))
    }),
  )
  const part = Uint8Array.of(1)
  const whole = bytesConcat([part])
  part[0] = 2
  expect(whole).toEqual(Uint8Array.of(1))
})
