import { createHash } from "node:crypto"
import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesToHex, sha256 } from "./index.ts"

test("the standard's own examples", () => {
  const hex = (text: string) => bytesToHex(sha256(new TextEncoder().encode(text)))
  expect(hex("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  expect(hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
})

test("every length around the ends of blocks, and long messages", () => {
  for (const length of [...Array(300).keys(), 2 ** 20 + 55, 2 ** 20 + 56]) {
    const message = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff)
    expect(sha256(message)).toEqual(new Uint8Array(createHash("sha256").update(message).digest()))
  }
})

test("any bytes, views among them", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(20), (bytes, start) => {
    const message = bytes.subarray(Math.min(start, bytes.length))
    expect(sha256(message)).toEqual(new Uint8Array(createHash("sha256").update(message).digest()))
  })
  fc.assert(property, { numRuns: 500 })
})
