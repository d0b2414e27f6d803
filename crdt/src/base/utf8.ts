/**
 * Strict UTF-8, written here because `crdt/` has no TextEncoder (its compiler options leave out
 * every host API). Rejects overlong forms, surrogates and code points past U+10FFFF (RFC 3629 §3).
 * Meant for ids and names; documents' text never passes through it.
 */
import { DecodeError } from "./errors.ts"

/** Encodes `text`; a lone surrogate becomes U+FFFD, as TextEncoder does. O(length). */
export function utf8Encode(text: string): Uint8Array {
  const ascii = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= 0x80) return encodeCharacters(text)
    ascii[index] = code
  }
  return ascii
}

function encodeCharacters(text: string): Uint8Array {
  const bytes: number[] = []
  for (const character of text) {
    let point = character.codePointAt(0) ?? 0
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63))
    else if (point < 0x10000) {
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63))
    } else {
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 63),
        0x80 | ((point >> 6) & 63),
        0x80 | (point & 63),
      )
    }
  }
  return Uint8Array.from(bytes)
}

/** @throws DecodeError `not-utf8`, its offset relative to `bytes`. O(length). */
export function utf8Decode(bytes: Uint8Array): string {
  let text = ""
  let index = 0
  while (index < bytes.length) {
    const end = asciiEnd(bytes, index)
    if (end > index) {
      // Names are short: one character after another is faster than a call with them all.
      if (end - index <= SHORT_RUN_MAX) text += shortAscii(bytes, index, end)
      else text += String.fromCharCode(...bytes.subarray(index, end))
      index = end
      continue
    }
    const length = sequenceLength(bytes[index] ?? 0)
    text += String.fromCodePoint(decodeSequence(bytes, index, length))
    index += length
  }
  return text
}

/** Characters that are made of bytes in one go: a call takes only so many arguments. */
const ASCII_RUN_MAX = 1024

const SHORT_RUN_MAX = 64

function shortAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = ""
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index] ?? 0)
  return text
}

function asciiEnd(bytes: Uint8Array, start: number): number {
  const last = Math.min(bytes.length, start + ASCII_RUN_MAX)
  let index = start
  while (index < last && (bytes[index] ?? 0) < 0x80) index++
  return index
}

function sequenceLength(lead: number): number {
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

function decodeSequence(bytes: Uint8Array, index: number, length: number): number {
  const point = pointAt(bytes, index, length)
  if (point < 0) throw new DecodeError("not-utf8", index)
  return point
}

/** The code point of a sequence of two bytes or more; −1 if it is none. */
function pointAt(bytes: Uint8Array, index: number, length: number): number {
  const lead = bytes[index] ?? 0
  if (lead < 0xc2 || lead > 0xf4) return -1
  let point = lead & (0x7f >> length)
  for (let rest = 1; rest < length; rest++) {
    const byte = bytes[index + rest] ?? 0
    if ((byte & 0xc0) !== 0x80) return -1
    point = (point << 6) | (byte & 63)
  }
  const least = length === 4 ? 0x10000 : length === 3 ? 0x800 : 0x80
  const isSurrogate = point >= 0xd800 && point <= 0xdfff
  return point < least || point > 0x10ffff || isSurrogate ? -1 : point
}

/**
 * Whether `utf8Decode` takes it, without making a string of it: one frame may hold megabytes of
 * presence states, which are relayed as bytes. O(length), allocates nothing.
 */
export function isUtf8(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    const lead = bytes[index] ?? 0
    if (lead < 0x80) continue
    const length = sequenceLength(lead)
    if (pointAt(bytes, index, length) < 0) return false
    index += length - 1
  }
  return true
}
