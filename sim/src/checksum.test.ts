import { utf8Encode } from "@causeway/crdt/base"
import { expect, test } from "vitest"
import { checksum } from "./checksum.ts"

test("is MurmurHash3: the published function's own values", () => {
  const known: [string, number][] = [
    ["", 0],
    ["hello", 0x248bfa47],
    ["hello, world", 0x149bbb7f],
    ["The quick brown fox jumps over the lazy dog", 0x2e4ff723],
  ]
  for (const [text, value] of known) expect(checksum(utf8Encode(text))).toBe(value)
})

test("every bit counts, also at the end of a long frame; where the bytes lie does not", () => {
  for (const length of [1, 2, 3, 4, 5, 1001]) {
    const bytes = new Uint8Array(length).map((_, index) => index * 7)
    const shifted = new Uint8Array(length + 3)
    shifted.set(bytes, 3)
    expect(checksum(shifted.subarray(3))).toBe(checksum(bytes))
    const seen = new Set([checksum(bytes)])
    for (let bit = 0; bit < 8 * length; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      seen.add(checksum(flipped))
    }
    expect(seen.size).toBe(8 * length + 1)
  }
})
