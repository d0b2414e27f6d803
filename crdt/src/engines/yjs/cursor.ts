/**
 * A position in untrusted bytes, tuned for the hot path: it walks over values instead of building
 * them, so nothing is allocated whatever the bytes claim. Integers are lib0's varUint. Every
 * failure is an EngineError `invalid-update`.
 */
import { EngineError } from "../engine.ts"

export function invalid(message: string, offset: number): never {
  throw new EngineError("invalid-update", `${message} at byte ${offset}`)
}

export class Cursor {
  readonly bytes: Uint8Array
  offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  u8(): number {
    const value = this.bytes[this.offset]
    if (value === undefined) invalid("truncated", this.offset)
    this.offset += 1
    return value
  }

  /** At most 2^53 − 1 in at most 8 bytes: lib0 goes wrong past either without noticing. */
  varUint(): number {
    const first = this.u8()
    if (first < 0x80) return first
    let value = first & 0x7f
    let scale = 128
    for (let index = 1; index < 8; index++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    invalid("integer out of range", this.offset)
  }

  skip(length: number): void {
    if (length > this.remaining) invalid("truncated", this.offset)
    this.offset += length
  }

  /** Steps over a varInt, whose first byte holds a sign and 6 bits: at most 53 bits in 8 bytes. */
  skipVarInt(): void {
    let byte = this.u8()
    for (let index = 1; byte >= 0x80; index++) {
      if (index === 8) invalid("integer out of range", this.offset)
      byte = this.u8()
    }
  }

  /** Steps over length-prefixed bytes. */
  skipBytes(): void {
    this.skip(this.varUint())
  }

  /** Steps over a length-prefixed string and returns its length in UTF-16 units, as Yjs counts. */
  skipString(): number {
    const length = this.varUint()
    if (length > this.remaining) invalid("truncated", this.offset)
    const end = this.offset + length
    let index = this.offset
    while (index < end && (this.bytes[index] ?? 0) < 0x80) index += 1
    const ascii = index - this.offset
    if (index === end) {
      this.offset = end
      return ascii
    }
    return ascii + this.#skipUtf8(index, end)
  }

  /** A length-prefixed string's bytes, as a view; not checked to be UTF-8. */
  stringBytes(): Uint8Array {
    const length = this.varUint()
    const from = this.offset
    this.skip(length)
    return this.bytes.subarray(from, this.offset)
  }

  #skipUtf8(from: number, end: number): number {
    let units = 0
    let index = from
    while (index < end) {
      const lead = this.bytes[index] ?? 0
      const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
      units += length === 4 ? 2 : 1
      if (length > 1 && !this.#isCharacter(index, length, end)) invalid("not UTF-8", index)
      index += length
    }
    this.offset = end
    return units
  }

  /** Exactly as strict as a fatal TextDecoder, which Yjs reads strings with (RFC 3629 §3). */
  #isCharacter(at: number, length: number, end: number): boolean {
    const lead = this.bytes[at] ?? 0
    if (lead < 0xc2 || lead > 0xf4 || at + length > end) return false
    const second = this.bytes[at + 1] ?? 0
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (let rest = 2; rest < length; rest++) {
      if (((this.bytes[at + rest] ?? 0) & 0xc0) !== 0x80) return false
    }
    return true
  }
}
