import { expect, test } from "vitest"
import { frameAll } from "./frames.ts"

/** Headers as RFC 6455 §5.2 and its examples in §5.7 have them. */
const headers: readonly (readonly [number, string])[] = [
  [0, "8200"],
  [1, "8201"],
  [125, "827d"],
  [126, "827e007e"],
  [256, "827e0100"],
  [65_535, "827effff"],
  [65_536, "827f0000000000010000"],
  [10_000_000, "827f0000000000989680"],
]

function framed(length: number, header: string): Buffer {
  return Buffer.concat([Buffer.from(header, "hex"), Buffer.alloc(length, length % 251)])
}

test.each(headers)("a frame of %i bytes starts with %s", (length, header) => {
  const payload = new Uint8Array(length).fill(length % 251)
  expect(frameAll([payload]).equals(framed(length, header))).toBe(true)
})

test("several frames are whole frames, one after the other", () => {
  const payloads = headers.map(([length]) => Buffer.alloc(length, length % 251))
  const expected = Buffer.concat(headers.map(([length, header]) => framed(length, header)))
  expect(frameAll(payloads).equals(expected)).toBe(true)
  expect(frameAll([]).length).toBe(0)
})
