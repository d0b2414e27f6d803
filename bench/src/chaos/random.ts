/**
 * Seeded randomness: the same seed and label give the same draws. Schedule, workload and each
 * client draw from generators of their own, so that one more draw in one place changes nothing
 * elsewhere. xoroshiro128+ (pure-rand).
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"

export class Random {
  readonly #seed: number
  readonly #generator: ReturnType<typeof xoroshiro128plus>

  constructor(seed: number) {
    this.#seed = seed
    this.#generator = xoroshiro128plus(seed | 0)
    // Neighbouring seeds start out alike: the first draws are thrown away.
    for (let count = 0; count < 8; count++) this.#generator.next()
  }

  /** An independent generator, whatever was drawn here before. */
  split(label: string): Random {
    let hash = 0x811c9dc5
    for (const byte of Buffer.from(`${this.#seed}/${label}`)) {
      hash = Math.imul(hash ^ byte, 0x01000193)
    }
    return new Random(hash >>> 0)
  }

  /** Uniform in [0, 1). */
  next(): number {
    return (this.#generator.next() >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number in [min, max]. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** The time between independent events, `mean` on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  /** @throws RangeError if there is nothing to pick from */
  pick<Value>(values: readonly Value[]): Value {
    const [value] = values.slice(Math.floor(this.next() * values.length))
    if (value === undefined) throw new RangeError("picked from nothing")
    return value
  }

  /** In a random order. */
  shuffled<Value>(values: readonly Value[]): Value[] {
    const order = values.map((value) => ({ key: this.next(), value }))
    order.sort((left, right) => left.key - right.key)
    return order.map(({ value }) => value)
  }
}
