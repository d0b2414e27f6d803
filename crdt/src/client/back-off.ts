/** Exponential back-off with full jitter: uniform in [0, min(max, min · 2^attempt)). */
import type { Random } from "../ports/index.ts"

export class BackOff {
  readonly #random: Random
  readonly #msMin: number
  readonly #msMax: number
  #attempts = 0

  constructor(random: Random, msMin: number, msMax: number) {
    this.#random = random
    this.#msMin = msMin
    this.#msMax = msMax
  }

  /** The next delay in milliseconds; each is drawn from a range twice as wide as the last. */
  next(): number {
    const ceiling = Math.min(this.#msMax, this.#msMin * 2 ** this.#attempts)
    if (ceiling < this.#msMax) this.#attempts += 1
    return this.#random.next() * ceiling
  }

  reset(): void {
    this.#attempts = 0
  }
}
