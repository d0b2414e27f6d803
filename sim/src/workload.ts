/**
 * Clients that write and move their cursors at random times until they are stopped, and whatever
 * else their workload does. What they write is up to their replicas; each edit carries a token
 * that no other has.
 */
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { SimRandom } from "./random.ts"
import type { LoadShape, Workload as Plan } from "./workloads/workload.ts"
import type { World } from "./world.ts"
import type { SimWriter } from "./writer.ts"

export type Load = LoadShape & { readonly workload: Plan }

type Asked = {
  readonly writesPerSecond: number
  /** No more than so many in all. */
  readonly writesMax?: number | undefined
}

export class Workload {
  readonly #world: World
  readonly #random: SimRandom
  readonly #load: Load
  readonly #asked: Asked
  readonly #writers: readonly SimWriter[]
  readonly #readers: readonly SimWriter[]
  #writes = 0
  #stopped = false

  constructor(world: World, random: SimRandom, load: Load, asked: Asked) {
    this.#world = world
    this.#random = random
    this.#load = load
    this.#asked = asked
    const { writers } = world
    const count = Math.max(1, Math.round(load.writersShare * writers.length))
    const some = random.split("writers").shuffled(writers)
    this.#writers = count >= writers.length ? writers : some.slice(0, count)
    this.#readers = count >= writers.length ? [] : some.slice(count)
  }

  start(): void {
    if (this.#writers.length === 0) return
    const { presencePerSecond, burst, writesFactor, workload } = this.#load
    const writesPerSecond = this.#asked.writesPerSecond * writesFactor
    if (writesPerSecond > 0) this.#repeat((1000 * burst) / writesPerSecond, () => this.#writeSome())
    if (presencePerSecond > 0) this.#repeat(1000 / presencePerSecond, () => this.#present())
    const stage = {
      world: this.#world,
      readers: this.#readers,
      every: (meanMs: Millis, act: () => void) => this.#repeat(meanMs, act),
      write: (writer: SimWriter, document: DocumentId) => this.#write(writer, document),
    }
    workload.run?.(stage, this.#random.split("run"))
  }

  stop(): void {
    this.#stopped = true
  }

  #repeat(everyMs: number, run: () => void): void {
    this.#world.scheduler.after(this.#random.exponential(everyMs), () => {
      if (this.#stopped) return
      run()
      this.#repeat(everyMs, run)
    })
  }

  #writeSome(): void {
    const writer = this.#random.pick(this.#writers)
    const count = Math.max(1, Math.round(this.#random.exponential(this.#load.burst)))
    for (let index = 0; index < count; index++) this.#write(writer)
  }

  #write(writer: SimWriter, document?: DocumentId): void {
    if (this.#stopped || this.#writes >= (this.#asked.writesMax ?? Infinity)) return
    this.#writes += 1
    if (writer.running) writer.write(this.#random, this.#token(), document)
  }

  #token(): string {
    const name = `w${this.#writes}`
    const { bigShare, bigBytesMax } = this.#load
    if (!this.#random.chance(bigShare)) return name
    return name.padEnd(Math.round(this.#random.logBetween(1000, bigBytesMax)), ".")
  }

  #present(): void {
    const writer = this.#random.pick(this.#world.writers)
    if (writer.running) writer.present(this.#random)
  }
}
