/** What apps are given in place of the core's own UTF-8 does the same. */
import { expect, test } from "vitest"
import { DecodeError, isUtf8, utf8Decode, utf8Encode } from "@causeway/crdt/base"
import * as host from "./host-utf8.ts"

function decoded(decode: (bytes: Uint8Array) => string, bytes: Uint8Array): string | undefined {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof DecodeError && error.code === "not-utf8") return undefined
    throw error
  }
}

function agrees(bytes: Uint8Array): void {
  expect(decoded(host.utf8Decode, bytes)).toBe(decoded(utf8Decode, bytes))
  expect(host.isUtf8(bytes)).toBe(isUtf8(bytes))
}

const edges = ["", "a", "\u{feff}b", "\u{d800}", "\u{dfff}x", "é€😀", "\0", "\u{10ffff}"]

/** Bytes that look random, the same each time. */
function* noise(count: number): Generator<Uint8Array> {
  let state = 1
  for (let index = 0; index < count; index++) {
    yield Uint8Array.from({ length: index % 12 }, () => {
      state = Math.imul(state, 1_103_515_245) + 12_345
      return (state >>> 16) & 0xff
    })
  }
}

test("[F2] text is encoded alike, lone surrogates too, and decoded to the same", () => {
  for (const one of edges) {
    for (const other of edges) {
      const bytes = utf8Encode(one + other)
      expect(host.utf8Encode(one + other)).toEqual(bytes)
      expect(decoded(host.utf8Decode, bytes)).toBeDefined()
      agrees(bytes)
    }
  }
})

test("[F2] the same bytes are refused", () => {
  for (const bytes of noise(5000)) agrees(bytes)
  for (let lead = 0; lead < 256; lead++) {
    for (const second of [0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
      agrees(Uint8Array.of(lead, second))
      agrees(Uint8Array.of(lead, second, 0x80))
      agrees(Uint8Array.of(lead, second, 0xbf, 0xbf))
    }
  }
})
