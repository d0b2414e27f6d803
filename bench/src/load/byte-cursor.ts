/**
 * A position in bytes that moves on without allocating. One cursor serves a whole process: each
 * frame is aimed at anew. Reading past the end is a `RangeError`, never a silent zero, so that a
 * frame the benchmark does not understand cannot be counted.
 */

export class ByteCursor {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0

  get at(): number {
    return this.#at
  }

  aim(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes
    this.#at = at
  }

  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw new RangeError(`frame ends at ${this.#at}`)
    this.#at += 1
    return value
  }

  varUint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const group = this.byte()
      value += (group & 127) * factor
      if (group < 128) return value
      factor *= 128
      if (factor > Number.MAX_SAFE_INTEGER) throw new RangeError("integer beyond 2^53")
    }
  }

  skip(count: number): void {
    this.#at += count
    if (this.#at > this.#bytes.length) throw new RangeError(`frame ends at ${this.#bytes.length}`)
  }

  /** Moves past a string and answers its length in UTF-16 units: what Yjs' clocks count. */
  stringUnits(): number {
    const count = this.varUint()
    const start = this.#at
    this.skip(count)
    let units = 0
    for (let index = start; index < start + count; index += 1) {
      const byte = this.#bytes[index] ?? 0
      if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
    }
    return units
  }
}
