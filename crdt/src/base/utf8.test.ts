import fc from "fast-check"
import { expect, test } from "vitest"
import { DecodeError } from "./errors.ts"
import { utf8Decode, utf8Encode } from "./utf8.ts"

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Every kind of UTF-16, lone surrogates among it. */
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
)

/** Bytes that are often nearly UTF-8. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(0x41, 0x80, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5),
      {
        maxLength: 6,
      },
    )
    .map((bytes) => Uint8Array.from(bytes)),
)

test("encoding is TextEncoder's, lone surrogates included", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(utf8Encode(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)))
    }),
  )
})

test("well-formed text goes there and back", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(utf8Decode(utf8Encode(text))).toBe(text.toWellFormed())
    }),
  )
  for (const text of ["\u{feff}bom", "\0", "\u{10ffff}", "\u{800}\u{7ff}\u{ffff}\u{10000}"]) {
    expect(utf8Decode(utf8Encode(text))).toBe(text)
  }
})

test("exactly what a strict decoder refuses is refused, as a DecodeError inside the bytes", () => {
  const decode = (bytes: Uint8Array) => {
    try {
      return utf8Decode(bytes)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return error.code === "not-utf8" && error.offset < bytes.length ? "refused" : error
    }
  }
  const reference = (bytes: Uint8Array) => {
    try {
      return strict.decode(bytes)
    } catch {
      return "refused"
    }
  }
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(decode(bytes)).toEqual(reference(bytes))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ["overlong slash", [0xc0, 0xaf]],
  ["overlong, three bytes", [0xe0, 0x80, 0xaf]],
  ["overlong, four bytes", [0xf0, 0x80, 0x80, 0xaf]],
  ["surrogate", [0xed, 0xa0, 0x80]],
  ["past U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["five-byte lead", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["lone continuation", [0x80]],
  ["truncated", [0xe2, 0x82]],
])("%s is refused", (_name, bytes) => {
  expect(() => utf8Decode(Uint8Array.from(bytes))).toThrow(DecodeError)
})
