/**
 * Seeded randomness. Each subsystem draws from a generator of its own, named by a label, so that
 * one more draw in the network does not change what the workload does. xoroshiro128+ (pure-rand).
 */
import { assert, utf8Encode } from "@causeway/crdt/base"
import type { Random } from "@causeway/crdt/ports"
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"

type Generator = ReturnType<typeof xoroshiro128plus>

export class SimRandom implements Random {
  readonly #seed: number
  readonly #generator: Generator

  constructor(seed: number) {
    this.#seed = seed
    this.#generator = xoroshiro128plus(seed | 0)
    // Neighbouring seeds start out alike: the first draws are thrown away.
    for (let count = 0; count < 8; count++) this.#generator.next()
  }

  /** An independent generator; the same label gives the same one, whatever was drawn here. */
  split(label: string): SimRandom {
    const bytes = utf8Encode(`${this.#seed}/${label}`)
    return new SimRandom(fnv1a(bytes))
  }

  /** Uniform in [0, 1), with 53 random bits. */
  next(): number {
    const high = this.#generator.next() >>> 5
    const low = this.#generator.next() >>> 6
    return (high * 0x4000000 + low) / 0x20000000000000
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number in [min, max]. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** As likely between 1 and 10 as between 10 and 100. `min` above 0. */
  logBetween(min: number, max: number): number {
    return min * Math.exp(this.next() * Math.log(max / min))
  }

  /** Exponentially distributed: the time between independent events, `mean` on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  pick<Value>(values: readonly Value[]): Value {
    assert(values.length > 0, "picked from nothing")
    // cast: the index is within the array, and an element may be undefined itself.
    return values[Math.floor(this.next() * values.length)] as Value
  }

  /** In a random order (Fisher and Yates). */
  shuffled<Value>(values: readonly Value[]): Value[] {
    const order = values.map((value) => ({ key: this.next(), value }))
    order.sort((left, right) => left.key - right.key)
    return order.map(({ value }) => value)
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let index = 0; index < count; index++) bytes[index] = this.#generator.next() & 0xff
    return bytes
  }

  /** `count` lower-case hex digits. */
  hex(count: number): string {
    let hex = ""
    while (hex.length < count) hex += (this.#generator.next() & 0xf).toString(16)
    return hex
  }
}

/** FNV-1a, 32 bits: what a seed and a label become. Another hash would make other runs. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
