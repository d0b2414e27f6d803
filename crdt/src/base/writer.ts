/**
 * A growable byte writer. Integers are lib0's varUint: seven bits a byte, least significant
 * group first, high bit = more (so the y-websocket codec and ours share it).
 */
import { assert } from "./assert.ts"
import { utf8Encode } from "./utf8.ts"

/** Bytes a result may keep unused behind it. */
const SLACK_MAX = 64

export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(sizeHint = 64) {
    this.#bytes = new Uint8Array(sizeHint)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  u8(value: number): this {
    assert(value >= 0 && value <= 255, "u8 out of range")
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** Any integer from 0 to 2^53 − 1. */
  varUint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, "varUint out of range")
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = 0x80 | (rest % 128)
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  /** varUint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varUint(bytes.length).raw(bytes)
  }

  /** varUint length in bytes, then UTF-8. */
  string(text: string): this {
    return this.bytes(utf8Encode(text))
  }

  get length(): number {
    return this.#length
  }

  /** What was written. Nothing may be written afterwards. */
  finish(): Uint8Array {
    const slack = this.#bytes.length - this.#length
    // A copy costs more than a little room that stays unused.
    if (slack <= SLACK_MAX) return this.#bytes.subarray(0, this.#length)
    return this.#bytes.slice(0, this.#length)
  }
}
