/**
 * Clients that write and move their cursors at random times until they are stopped. What they
 * write is up to their replicas; each edit carries a token that no other has.
 */
import type { Scheduler } from "./scheduler.ts"
import type { SimRandom } from "./random.ts"
import type { SimWriter } from "./writer.ts"

export type Load = {
  readonly writesPerSecond: number
  readonly presencePerSecond: number
  /** How many writes come in one go, on average. */
  readonly burst: number
  /** How many of all writes are big, and how big at most. */
  readonly bigShare: number
  readonly bigBytesMax: number
  /** No more than so many in all. */
  readonly writesMax?: number | undefined
}

export class Workload {
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #writers: readonly SimWriter[]
  readonly #load: Load
  #writes = 0
  #stopped = false

  constructor(scheduler: Scheduler, random: SimRandom, writers: readonly SimWriter[], load: Load) {
    this.#scheduler = scheduler
    this.#random = random
    this.#writers = writers
    this.#load = load
  }

  start(): void {
    if (this.#writers.length === 0) return
    const { writesPerSecond, presencePerSecond, burst } = this.#load
    if (writesPerSecond > 0) this.#repeat((1000 * burst) / writesPerSecond, () => this.#write())
    if (presencePerSecond > 0) this.#repeat(1000 / presencePerSecond, () => this.#present())
  }

  stop(): void {
    this.#stopped = true
  }

  #repeat(everyMs: number, run: () => void): void {
    this.#scheduler.after(this.#random.exponential(everyMs), () => {
      if (this.#stopped) return
      run()
      this.#repeat(everyMs, run)
    })
  }

  #write(): void {
    const writer = this.#random.pick(this.#writers)
    const count = Math.max(1, Math.round(this.#random.exponential(this.#load.burst)))
    for (let index = 0; index < count; index++) {
      if (this.#writes >= (this.#load.writesMax ?? Infinity)) return
      this.#writes += 1
      if (writer.running) writer.write(this.#random, this.#token())
    }
  }

  #token(): string {
    const name = `w${this.#writes}`
    const { bigShare, bigBytesMax } = this.#load
    if (!this.#random.chance(bigShare)) return name
    return name.padEnd(Math.round(this.#random.logBetween(1000, bigBytesMax)), ".")
  }

  #present(): void {
    const writer = this.#random.pick(this.#writers)
    if (writer.running) writer.present(this.#random)
  }
}
