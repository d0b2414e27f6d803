/**
 * A bounded byte reader. Every length is checked against a named limit and against what is
 * really there before anything is allocated; every failure is a DecodeError with its offset.
 */
import { DecodeError } from "./errors.ts"
import { utf8Decode } from "./utf8.ts"

export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(): number {
    const value = this.#bytes[this.#offset]
    if (value === undefined) throw new DecodeError("truncated", this.#offset)
    this.#offset += 1
    return value
  }

  /** @throws DecodeError `varint-too-long` past 2^53 − 1. */
  varUint(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 8; index++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new DecodeError("varint-too-long", this.#offset)
        return value
      }
      scale *= 128
    }
    throw new DecodeError("varint-too-long", this.#offset)
  }

  /** A varUint that counts or measures something, at most `max`. */
  count(max: number): number {
    const value = this.varUint()
    if (value > max) throw new DecodeError("length-over-limit", this.#offset, `${value} > ${max}`)
    return value
  }

  /** As many as a `count` in front of them says, each as `read` has it. */
  list<Item>(max: number, read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.count(max); left > 0; left--) items.push(read())
    return items
  }

  /** One byte, 0 or 1. */
  flag(): boolean {
    const value = this.u8()
    if (value > 1) throw new DecodeError("bad-value", this.#offset)
    return value === 1
  }

  /** `length` bytes as a view on the frame: copy what must outlive it. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) throw new DecodeError("truncated", this.#offset)
    const view = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return view
  }

  /** Length-prefixed bytes, at most `max` of them, as a view. */
  bytes(max: number): Uint8Array {
    return this.raw(this.count(max))
  }

  /** Length-prefixed UTF-8, at most `bytesMax` bytes. */
  string(bytesMax: number): string {
    const at = this.#offset
    const view = this.bytes(bytesMax)
    try {
      return utf8Decode(view)
    } catch (error) {
      if (error instanceof DecodeError) throw new DecodeError(error.code, at)
      throw error
    }
  }

  /** Every decoder's last line: what is left over is an error, not an extension. */
  end(): void {
    if (this.remaining > 0) throw new DecodeError("trailing-bytes", this.#offset)
  }
}
