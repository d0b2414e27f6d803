/**
 * Checks that a length-prefixed string holds JSON (RFC 8259), byte by byte and without building a
 * value. As strict as JSON.parse, which Yjs reads embeds, formats and old array content with, and
 * stricter in one point: nesting is bounded (see limits.ts).
 */
import { invalid, type Cursor } from "./cursor.ts"
import { nestingMax } from "./limits.ts"

const quote = 0x22
const backslash = 0x5c

/** Steps over the string at the cursor. */
export function skipJsonText(cursor: Cursor): void {
  const from = cursor.offset
  cursor.skipString()
  const end = cursor.offset
  cursor.offset = from
  cursor.varUint()
  skipSpace(cursor, end)
  skipValue(cursor, end, 0)
  skipSpace(cursor, end)
  if (cursor.offset !== end) invalid("not JSON", cursor.offset)
}

function peek(cursor: Cursor, end: number): number {
  return cursor.offset < end ? (cursor.bytes[cursor.offset] ?? -1) : -1
}

function skipSpace(cursor: Cursor, end: number): void {
  for (;;) {
    const byte = peek(cursor, end)
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
    cursor.offset += 1
  }
}

function skipValue(cursor: Cursor, end: number, depth: number): void {
  const byte = peek(cursor, end)
  if (byte === quote) return skipText(cursor, end)
  if (byte === 0x7b || byte === 0x5b) {
    if (depth === nestingMax) invalid("nested too deep", cursor.offset)
    return skipNested(cursor, end, depth, byte === 0x7b)
  }
  if (byte === 0x74) return skipWord(cursor, end, "true")
  if (byte === 0x66) return skipWord(cursor, end, "false")
  if (byte === 0x6e) return skipWord(cursor, end, "null")
  skipNumber(cursor, end)
}

function skipNested(cursor: Cursor, end: number, depth: number, keyed: boolean): void {
  const close = keyed ? 0x7d : 0x5d
  cursor.offset += 1
  skipSpace(cursor, end)
  if (peek(cursor, end) === close) {
    cursor.offset += 1
    return
  }
  for (;;) {
    skipSpace(cursor, end)
    if (keyed) {
      skipText(cursor, end)
      skipSpace(cursor, end)
      if (peek(cursor, end) !== 0x3a) invalid("not JSON", cursor.offset)
      cursor.offset += 1
      skipSpace(cursor, end)
    }
    skipValue(cursor, end, depth + 1)
    skipSpace(cursor, end)
    const byte = peek(cursor, end)
    if (byte !== 0x2c && byte !== close) invalid("not JSON", cursor.offset)
    cursor.offset += 1
    if (byte === close) return
  }
}

function skipWord(cursor: Cursor, end: number, word: string): void {
  for (let index = 0; index < word.length; index++) {
    if (peek(cursor, end) !== word.charCodeAt(index)) invalid("not JSON", cursor.offset)
    cursor.offset += 1
  }
}

function skipText(cursor: Cursor, end: number): void {
  if (peek(cursor, end) !== quote) invalid("not JSON", cursor.offset)
  cursor.offset += 1
  for (;;) {
    const byte = peek(cursor, end)
    if (byte < 0x20) invalid("not JSON", cursor.offset)
    cursor.offset += 1
    if (byte === quote) return
    if (byte === backslash) skipEscape(cursor, end)
  }
}

function skipEscape(cursor: Cursor, end: number): void {
  const byte = peek(cursor, end)
  cursor.offset += 1
  if (byte === 0x75) {
    for (let index = 0; index < 4; index++) {
      if (!isHex(peek(cursor, end))) invalid("not JSON", cursor.offset)
      cursor.offset += 1
    }
    return
  }
  if (byte < 0 || !'"\\/bfnrt'.includes(String.fromCharCode(byte))) {
    invalid("not JSON", cursor.offset)
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

function skipDigits(cursor: Cursor, end: number): void {
  const from = cursor.offset
  for (let byte = peek(cursor, end); byte >= 0x30 && byte <= 0x39; byte = peek(cursor, end)) {
    cursor.offset += 1
  }
  if (cursor.offset === from) invalid("not JSON", from)
}

function skipNumber(cursor: Cursor, end: number): void {
  if (peek(cursor, end) === 0x2d) cursor.offset += 1
  if (peek(cursor, end) === 0x30) cursor.offset += 1
  else skipDigits(cursor, end)
  if (peek(cursor, end) === 0x2e) {
    cursor.offset += 1
    skipDigits(cursor, end)
  }
  if ((peek(cursor, end) | 0x20) === 0x65) {
    cursor.offset += 1
    const sign = peek(cursor, end)
    if (sign === 0x2b || sign === 0x2d) cursor.offset += 1
    skipDigits(cursor, end)
  }
}
