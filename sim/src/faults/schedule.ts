/**
 * Lets faults happen: each at random times with its drawn mean interval, or exactly the
 * occurrences that a list says, for as long as the safety phase lasts. What fired is recorded, and
 * the same list gives the same run. `freeze` leaves the world as broken as it is, except for some
 * hosts; `stop` ends all, and from then on the world is well.
 */
import { assert } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import type { Trace } from "../trace.ts"
import type { Watch } from "../watch.ts"
import type { World } from "../world.ts"
import type { Fault, Injected } from "./fault.ts"

/** A fault and how often this run has it. */
export type DrawnFault = { readonly fault: Fault; readonly everyMs: Millis }

/** One occurrence; plain data, which is all that it takes to let it happen again. */
export type FaultEvent = {
  readonly fault: string
  readonly atMs: Millis
  readonly lastsMs: Millis
  /** Of its randomness: which node, which cut. */
  readonly seed: number
}

/** What is under way. */
type Occurrence = {
  readonly hinders: (well: ReadonlySet<HostId>) => boolean
  readonly heal: () => void
}

const EVENT_SEED_MAX = 2 ** 30 - 1

export class FaultSchedule {
  readonly #world: World
  readonly #random: SimRandom
  readonly #trace: Trace
  readonly #watch: Watch
  readonly #counts = new Map<string, number>()
  readonly #events: FaultEvent[] = []
  readonly #underWay = new Set<Occurrence>()
  #lingersUntilMs: Millis = 0
  #state: "running" | "frozen" | "stopped" = "running"

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

  /** What fired, in order. */
  get events(): readonly FaultEvent[] {
    return this.#events
  }

  /** When the last of all that nobody can end is over by itself. */
  get lingersUntilMs(): Millis {
    return this.#lingersUntilMs
  }

  start(faults: readonly DrawnFault[]): void {
    for (const { fault, everyMs } of faults) {
      this.#counts.set(fault.name, 0)
      this.#next(fault, everyMs, this.#random.split(fault.name))
    }
  }

  /** Lets happen what `events` says, and nothing else. */
  replay(events: readonly FaultEvent[], faults: readonly Fault[]): void {
    for (const event of events) {
      const fault = faults.find(({ name }) => name === event.fault)
      assert(fault !== undefined, () => `no fault is called ${event.fault}`)
      this.#counts.set(fault.name, 0)
      this.#world.scheduler.at(event.atMs, () => {
        if (this.#state === "running") this.#fire(fault, event)
      })
    }
  }

  /** Nothing begins any more, and what is under way stays, unless it hinders one of `well`. */
  freeze(well: ReadonlySet<HostId>): void {
    this.#state = "frozen"
    for (const { hinders, heal } of this.#underWay) {
      if (hinders(well)) heal()
    }
  }

  stop(): void {
    this.#state = "stopped"
    for (const { heal } of this.#underWay) heal()
  }

  #next(fault: Fault, everyMs: Millis, random: SimRandom): void {
    const { scheduler } = this.#world
    scheduler.after(random.exponential(everyMs), () => {
      if (this.#state !== "running") return
      const lastsMs = random.logBetween(...fault.lastsMs)
      const seed = random.int(0, EVENT_SEED_MAX)
      this.#fire(fault, { fault: fault.name, atMs: scheduler.nowMs, lastsMs, seed })
      this.#next(fault, everyMs, random)
    })
  }

  #fire(fault: Fault, event: FaultEvent): void {
    const { lastsMs, seed } = event
    const injected = fault.inject(this.#world, new SimRandom(seed), lastsMs)
    if (injected === "skipped") return
    this.#trace.add("fault", seed)
    this.#trace.detail(`${fault.name} for ${Math.round(lastsMs)} ms`)
    this.#events.push(event)
    this.#counts.set(fault.name, (this.#counts.get(fault.name) ?? 0) + 1)
    this.#watch.onFault(fault.name, "begins")
    if (injected === "done") {
      this.#lingersUntilMs = Math.max(this.#lingersUntilMs, event.atMs + lastsMs)
      return
    }
    const end = typeof injected === "function" ? injected : injected.end
    const heal = (): void => {
      if (!this.#underWay.delete(occurrence)) return
      this.#trace.add("heal", seed)
      this.#trace.detail(fault.name)
      end()
      this.#watch.onFault(fault.name, "ends")
    }
    const occurrence: Occurrence = { hinders: hindrance(injected), heal }
    this.#underWay.add(occurrence)
    this.#world.scheduler.after(lastsMs, () => {
      if (this.#state === "running") heal()
    })
  }
}

function hindrance(injected: Exclude<Injected, string>): Occurrence["hinders"] {
  if (typeof injected === "function") return () => true
  if ("hinders" in injected) return injected.hinders
  return (well) => well.has(injected.host)
}
