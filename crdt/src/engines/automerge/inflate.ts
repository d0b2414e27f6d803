/**
 * Raw DEFLATE (RFC 1951) with a bound on what comes out, which Automerge's own inflating lacks.
 * Canonical Huffman codes are read bit by bit from counts per length, after Mark Adler's puff
 * (its method, not its text): slower than tables, but nothing to set up for the short columns
 * that this meets.
 */
import { DecodeError } from "../../base/errors.ts"

const bitsMax = 15
const symbolsLiteralMax = 286
const symbolsDistanceMax = 30
const endOfBlock = 256

const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
]
const lengthExtra = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577,
]
const distanceExtra = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]
/** The order in which the lengths of the code for code lengths come. */
const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** How many codes there are of each length, and their symbols in code order. */
type Code = { readonly counts: Uint16Array; readonly symbols: Uint16Array }

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(bitsMax + 1)
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1
  const offsets = new Uint16Array(bitsMax + 2)
  let left = 1
  for (let length = 1; length <= bitsMax; length++) {
    const count = counts[length] ?? 0
    left = left * 2 - count
    if (left < 0) throw new DecodeError("bad-value", 0, "over-subscribed code")
    offsets[length + 1] = (offsets[length] ?? 0) + count
  }
  const symbols = new Uint16Array(lengths.length)
  lengths.forEach((length, symbol) => {
    if (length === 0) return
    const at = offsets[length] ?? 0
    symbols[at] = symbol
    offsets[length] = at + 1
  })
  return { counts, symbols }
}

const fixedLiterals = codeOf(
  Array.from({ length: 288 }, (_, symbol) =>
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
  ),
)
const fixedDistances = codeOf(Array.from({ length: symbolsDistanceMax }, () => 5))

class Inflate {
  readonly #input: Uint8Array
  readonly #sizeMax: number
  #offset = 0
  #bitBuffer = 0
  #bitCount = 0
  #output: Uint8Array
  #size = 0

  constructor(input: Uint8Array, sizeMax: number) {
    this.#input = input
    this.#sizeMax = sizeMax
    this.#output = new Uint8Array(Math.min(sizeMax, Math.max(64, input.length * 4)))
  }

  run(): Uint8Array {
    for (let last = 0; last === 0;) {
      last = this.#bits(1)
      const type = this.#bits(2)
      if (type === 0) this.#stored()
      else if (type === 1) this.#block(fixedLiterals, fixedDistances)
      else if (type === 2) this.#dynamic()
      else this.#fail("unknown block")
    }
    if (this.#offset < this.#input.length) {
      throw new DecodeError("trailing-bytes", this.#offset, "after deflated data")
    }
    return this.#output.subarray(0, this.#size)
  }

  #fail(detail: string): never {
    throw new DecodeError("bad-value", this.#offset, detail)
  }

  #byte(): number {
    const byte = this.#input[this.#offset]
    if (byte === undefined) throw new DecodeError("truncated", this.#offset, "deflated data")
    this.#offset += 1
    return byte
  }

  /** At most 13 bits at a time, so that 32 always hold them. */
  #bits(count: number): number {
    while (this.#bitCount < count) {
      this.#bitBuffer |= this.#byte() << this.#bitCount
      this.#bitCount += 8
    }
    const value = this.#bitBuffer & ((1 << count) - 1)
    this.#bitBuffer >>>= count
    this.#bitCount -= count
    return value
  }

  #symbol({ counts, symbols }: Code): number {
    let code = 0
    let first = 0
    let index = 0
    for (let length = 1; length <= bitsMax; length++) {
      code |= this.#bits(1)
      const count = counts[length] ?? 0
      if (code - count < first) return symbols[index + (code - first)] ?? 0
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return this.#fail("unknown code")
  }

  #reserve(count: number): void {
    const needed = this.#size + count
    if (needed > this.#sizeMax) {
      throw new DecodeError("length-over-limit", this.#offset, "unfolds to too much")
    }
    if (needed <= this.#output.length) return
    const grown = new Uint8Array(Math.min(this.#sizeMax, Math.max(needed, this.#output.length * 2)))
    grown.set(this.#output)
    this.#output = grown
  }

  #stored(): void {
    this.#bitBuffer = 0
    this.#bitCount = 0
    const length = this.#byte() | (this.#byte() << 8)
    const inverse = this.#byte() | (this.#byte() << 8)
    if ((length ^ inverse) !== 0xffff) this.#fail("wrong length of stored block")
    if (length > this.#input.length - this.#offset) {
      throw new DecodeError("truncated", this.#offset, "stored block")
    }
    this.#reserve(length)
    this.#output.set(this.#input.subarray(this.#offset, this.#offset + length), this.#size)
    this.#offset += length
    this.#size += length
  }

  #dynamic(): void {
    const literals = this.#bits(5) + 257
    const distances = this.#bits(5) + 1
    const count = this.#bits(4) + 4
    if (literals > symbolsLiteralMax || distances > symbolsDistanceMax) this.#fail("too many codes")
    const order = Array.from({ length: codeOrder.length }, () => 0)
    for (const at of codeOrder.slice(0, count)) order[at] = this.#bits(3)
    const lengths = this.#lengths(codeOf(order), literals + distances)
    if (lengths[endOfBlock] === 0) this.#fail("block without an end")
    this.#block(codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals)))
  }

  #lengths(code: Code, count: number): number[] {
    const lengths: number[] = []
    while (lengths.length < count) {
      const symbol = this.#symbol(code)
      if (symbol < 16) {
        lengths.push(symbol)
        continue
      }
      const before = symbol === 16 ? lengths.at(-1) : 0
      if (before === undefined) this.#fail("nothing to repeat")
      const repeat =
        symbol === 16 ? 3 + this.#bits(2) : symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7)
      if (lengths.length + repeat > count) this.#fail("too many lengths")
      for (let index = 0; index < repeat; index++) lengths.push(before)
    }
    return lengths
  }

  #block(literals: Code, distances: Code): void {
    for (;;) {
      const symbol = this.#symbol(literals)
      if (symbol === endOfBlock) return
      if (symbol < endOfBlock) {
        this.#reserve(1)
        this.#output[this.#size++] = symbol
      } else {
        this.#copy(symbol - endOfBlock - 1, distances)
      }
    }
  }

  #copy(lengthSymbol: number, distances: Code): void {
    const base = lengthBase[lengthSymbol]
    if (base === undefined) this.#fail("unknown length")
    const length = base + this.#bits(lengthExtra[lengthSymbol] ?? 0)
    const distanceSymbol = this.#symbol(distances)
    const from = distanceBase[distanceSymbol]
    if (from === undefined) this.#fail("unknown distance")
    const distance = from + this.#bits(distanceExtra[distanceSymbol] ?? 0)
    if (distance > this.#size) this.#fail("points before the start")
    this.#reserve(length)
    // Byte by byte: what is copied may overlap what is written.
    for (let index = 0; index < length; index++) {
      this.#output[this.#size] = this.#output[this.#size - distance] ?? 0
      this.#size += 1
    }
  }
}

/** O(bytes + what comes out). @throws DecodeError, `length-over-limit` past `sizeMax` bytes. */
export function inflateRaw(input: Uint8Array, sizeMax: number): Uint8Array {
  return new Inflate(input, sizeMax).run()
}
