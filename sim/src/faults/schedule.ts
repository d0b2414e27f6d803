/**
 * Lets faults happen: each at random times with its drawn mean interval, for as long as the
 * safety phase lasts. `stop` ends what is under way, and from then on the world is well.
 */
import type { Millis } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Trace } from "../trace.ts"
import type { Watch } from "../watch.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"

/** A fault and how often this run has it. */
export type DrawnFault = { readonly fault: Fault; readonly everyMs: Millis }

export class FaultSchedule {
  readonly #world: World
  readonly #random: SimRandom
  readonly #trace: Trace
  readonly #watch: Watch
  readonly #counts = new Map<string, number>()
  readonly #heals = new Set<() => void>()
  #stopped = false

  constructor(world: World, random: SimRandom, trace: Trace, watch: Watch) {
    this.#world = world
    this.#watch = watch
    this.#random = random
    this.#trace = trace
  }

  /** How often each fault fired. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  start(faults: readonly DrawnFault[]): void {
    for (const [index, { fault, everyMs }] of faults.entries()) {
      this.#counts.set(fault.name, 0)
      this.#next(index, fault, everyMs, this.#random.split(fault.name))
    }
  }

  stop(): void {
    this.#stopped = true
    for (const heal of this.#heals) heal()
  }

  #next(index: number, fault: Fault, everyMs: Millis, random: SimRandom): void {
    this.#world.scheduler.after(random.exponential(everyMs), () => {
      if (this.#stopped) return
      this.#fire(index, fault, random)
      this.#next(index, fault, everyMs, random)
    })
  }

  #fire(index: number, fault: Fault, random: SimRandom): void {
    const lastsMs = random.logBetween(...fault.lastsMs)
    const end = fault.inject(this.#world, random, lastsMs)
    if (end === "skipped") return
    this.#trace.add("fault", index)
    this.#trace.detail(`${fault.name} for ${Math.round(lastsMs)} ms`)
    this.#counts.set(fault.name, (this.#counts.get(fault.name) ?? 0) + 1)
    this.#watch.onFault(fault.name, "begins")
    if (end === "done") return
    const heal = (): void => {
      if (!this.#heals.delete(heal)) return
      this.#trace.add("heal", index)
      this.#trace.detail(fault.name)
      end()
      this.#watch.onFault(fault.name, "ends")
    }
    this.#heals.add(heal)
    this.#world.scheduler.after(lastsMs, heal)
  }
}
