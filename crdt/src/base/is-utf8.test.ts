/** The check agrees with the decoder on every input. */
import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesToHex } from "./bytes.ts"
import { DecodeError } from "./errors.ts"
import { isUtf8, utf8Decode, utf8Encode } from "./utf8.ts"

function decodes(bytes: Uint8Array): boolean {
  try {
    utf8Decode(bytes)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function agrees(bytes: Uint8Array): void {
  expect(isUtf8(bytes), bytesToHex(bytes)).toBe(decodes(bytes))
}

test("[F2] every sequence of two bytes is UTF-8 to both or to none", () => {
  for (let pair = 0; pair < 65_536; pair++) {
    const bytes = Uint8Array.of(pair >> 8, pair & 255)
    if (isUtf8(bytes) !== decodes(bytes)) agrees(bytes)
  }
})

test("[F2] every lead and second byte, then continuations, is UTF-8 to both or to none", () => {
  for (let pair = 0xc000; pair < 65_536; pair++) {
    for (const rest of [[0x80], [0x80, 0xbf]]) {
      const bytes = Uint8Array.of(pair >> 8, pair & 255, ...rest)
      if (isUtf8(bytes) !== decodes(bytes)) agrees(bytes)
    }
  }
})

test("[F2] text is UTF-8, and text with one byte changed is so to both or to none", () => {
  const edges = fc.constantFrom(
    "a",
    "\u007f",
    "\u0080",
    "\u07ff",
    "€",
    "\ud7ff",
    "\ue000",
    "\uffff",
  )
  const far = fc.constantFrom("\u{10000}", "😀", "\u{10ffff}")
  const text = fc.string({ unit: fc.oneof(edges, far), maxLength: 30 })
  fc.assert(
    fc.property(text, fc.nat(90), fc.nat(255), (characters, at, byte) => {
      const bytes = utf8Encode(characters)
      expect(isUtf8(bytes)).toBe(true)
      if (at < bytes.length) bytes[at] = byte
      agrees(bytes)
      agrees(bytes.subarray(0, at))
    }),
    { numRuns: 200 },
  )
})
