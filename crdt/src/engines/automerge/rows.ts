/**
 * One column of an Automerge change, row by row: runs of equal values, of values each by itself
 * or of nothing, in the shortest form of each number. Anything that Automerge would not write is
 * refused as not ordinary.
 */
import { DecodeError } from "../../base/errors.ts"
import { utf8Decode } from "../../base/utf8.ts"

/** Not wrong by itself: only not for this decoder to judge. */
export function notOrdinary(): DecodeError {
  return new DecodeError("bad-value", 0, "not ordinary")
}

/** "plain": no rows, only what is read from it. */
export type ColumnType = "unsigned" | "delta" | "string" | "boolean" | "plain"

export class Rows {
  readonly type: ColumnType
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly present: boolean
  #offset: number
  /** Rows left of the run under way, and what each of them is. */
  #left = 0
  #run: "equal" | "each" | "nothing" | undefined
  #value = 0
  #step = 0

  constructor(bytes: Uint8Array, start: number, end: number, type: ColumnType) {
    this.type = type
    this.#bytes = bytes
    this.#offset = start
    this.#end = end
    this.present = end > start
  }

  get offset(): number {
    return this.#offset
  }

  get more(): boolean {
    return this.#left > 0 || this.#offset < this.#end
  }

  /** The next `length` bytes as a column of their own. */
  part(length: number, type: ColumnType): Rows {
    const start = this.#advance(length)
    return new Rows(this.#bytes, start, this.#offset, type)
  }

  raw(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, this.#offset)
  }

  #advance(length: number): number {
    const start = this.#offset
    if (length > this.#end - start) throw notOrdinary()
    this.#offset = start + length
    return start
  }

  #byte(): number {
    if (this.#offset >= this.#end) throw notOrdinary()
    const byte = this.#bytes[this.#offset] ?? 0
    this.#offset += 1
    return byte
  }

  /** Unsigned LEB128 below 2^53. */
  unsigned(): number {
    let byte = this.#byte()
    if (byte < 0x80) return byte
    let value = 0
    let scale = 1
    for (let index = 0; index < 8; index++) {
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 || !Number.isSafeInteger(value)) break
        return value
      }
      scale *= 128
      byte = this.#byte()
    }
    throw notOrdinary()
  }

  /** Signed LEB128 within 53 bits. */
  signed(): number {
    let value = 0
    let scale = 1
    let before = 0
    for (let index = 0; index < 8; index++) {
      const byte = this.#byte()
      if (byte >= 0x80) {
        value += (byte & 0x7f) * scale
        scale *= 128
        before = byte
        continue
      }
      const negative = (byte & 0x40) !== 0
      value += (byte & 0x3f) * scale - (negative ? 64 * scale : 0)
      // A last byte that only repeats the sign of the one before.
      const padding = negative ? 0x7f : 0
      const needless = index > 0 && byte === padding && (before & 0x40) === (byte & 0x40)
      if (needless || !Number.isSafeInteger(value)) break
      return value
    }
    throw notOrdinary()
  }

  /**
   * The next row; undefined for nothing, and in every row of a column that is not there. Of a
   * string only that it is one (0), of a boolean 0 or 1.
   */
  next(): number | undefined {
    if (!this.present) return undefined
    if (this.type === "boolean") return this.#nextBoolean()
    if (this.#left === 0) this.#startRun()
    this.#left -= 1
    if (this.#run === "nothing") return undefined
    if (this.#run === "each") return this.#read()
    if (this.type === "delta") return this.#nextInRun()
    return this.#value
  }

  #nextInRun(): number {
    this.#value += this.#step
    return this.#value
  }

  #startRun(): void {
    const count = this.signed()
    if (count === 1) throw notOrdinary()
    if (count < 0) {
      if (this.#run === "each") throw notOrdinary()
      this.#run = "each"
      this.#left = -count
    } else if (count === 0) {
      if (this.#run === "nothing") throw notOrdinary()
      this.#run = "nothing"
      this.#left = this.unsigned()
      if (this.#left === 0) throw notOrdinary()
    } else {
      this.#run = "equal"
      this.#left = count
      if (this.type === "delta") this.#step = this.signed()
      else this.#value = this.#read()
    }
  }

  #read(): number {
    if (this.type === "unsigned") return this.unsigned()
    if (this.type === "delta") {
      this.#value += this.signed()
      return this.#value
    }
    utf8Decode(this.raw(this.unsigned()))
    return 0
  }

  #nextBoolean(): number {
    while (this.#left === 0) {
      const isFirst = this.#run === undefined
      this.#run = "equal"
      this.#value = isFirst ? 0 : 1 - this.#value
      this.#left = this.unsigned()
      if (this.#left === 0 && !isFirst) throw notOrdinary()
    }
    this.#left -= 1
    return this.#value
  }

  /** Nothing may be left over. */
  end(): void {
    if (this.more) throw notOrdinary()
  }
}
