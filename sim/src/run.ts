/**
 * One simulated run: safety first (faults and writes for so many virtual seconds, every promise
 * watched as it goes), then liveness: no more writes or new faults, and a core of the nodes must
 * converge by itself while all else stays broken; then everything is well, converges and comes to
 * rest. Both within a budget. Gives a report, whether or not a promise was broken.
 */
import { InvariantError } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { Cluster } from "./cluster.ts"
import { FaultSchedule } from "./faults/index.ts"
import type { FaultEvent } from "./faults/index.ts"
import { builtIn } from "./catalogue.ts"
import type { Catalogue } from "./catalogue.ts"
import { Liveness } from "./liveness.ts"
import type { Convergence } from "./liveness.ts"
import { drawProfile } from "./options.ts"
import type { Profile, SimOptions } from "./options.ts"
import { SimRandom } from "./random.ts"
import { Violation } from "./violation.ts"
import type { Phase } from "./watcher.ts"
import { Workload } from "./workload.ts"

type RunFailure = {
  readonly invariant: string
  readonly message: string
  readonly atMs: Millis
  readonly lastEvents: readonly string[]
  readonly stack: string | undefined
}

export type RunReport = {
  readonly options: SimOptions
  readonly profile: Profile
  readonly failure: RunFailure | undefined
  readonly virtualMs: Millis
  /** From the end of all faults to rest. */
  readonly convergedMs: Millis | undefined
  /** The phases of liveness that were over, with the budget that each had. */
  readonly convergences: readonly Convergence[]
  readonly events: number
  readonly writes: number
  readonly entries: number
  /** Origins that came to stand for two contents each, and were reported (`checkers/forks.ts`). */
  readonly forks: number
  readonly faults: ReadonlyMap<string, number>
  /** Every fault that fired; as `SimOptions.schedule` it gives the same run. */
  readonly schedule: readonly FaultEvent[]
  readonly hash: string
}

/** A run, advanced bit by bit so that a caller can show progress or stop. */
export type Run = {
  readonly profile: Profile
  /** When safety is over; liveness takes as long as it takes. */
  readonly totalMs: Millis
  readonly nowMs: Millis
  readonly phase: Phase
  /** Runs on for up to `ms` of virtual time; gives the report once the run is over. */
  advance(ms: Millis): RunReport | undefined
}

const LAST_EVENTS = 60
/** How often watchers are told the time. */
const TICK_MS = 1000

export function startRun(options: SimOptions, catalogue: Catalogue = builtIn): Run {
  const random = new SimRandom(options.seed)
  const profile = drawProfile(options, random.split("profile"), catalogue)
  return new Simulation(options, profile, catalogue, random)
}

export function runToEnd(options: SimOptions, catalogue: Catalogue = builtIn): RunReport {
  const run = startRun(options, catalogue)
  for (;;) {
    const report = run.advance(60_000)
    if (report !== undefined) return report
  }
}

class Simulation implements Run {
  readonly totalMs: Millis
  readonly #options: SimOptions
  readonly #catalogue: Catalogue
  readonly profile: Profile
  readonly #cluster: Cluster
  readonly #schedule: FaultSchedule
  readonly #workload: Workload
  readonly #liveness: Liveness
  #phase: "new" | "safety" | "liveness" = "new"

  constructor(options: SimOptions, profile: Profile, catalogue: Catalogue, random: SimRandom) {
    this.#options = options
    this.#catalogue = catalogue
    this.profile = profile
    this.totalMs = options.seconds * 1000
    this.#cluster = new Cluster(options, profile, random)
    const { trace, watch } = this.#cluster
    for (const { name, watch: start } of catalogue.invariants) {
      if (start !== undefined) watch.add(start(this.#cluster, random.split(`invariant ${name}`)))
    }
    this.#schedule = new FaultSchedule(this.#cluster, random.split("schedule"), trace, watch)
    this.#workload = new Workload(this.#cluster, random.split("workload"), profile, options)
    const ofLiveness = random.split("liveness")
    this.#liveness = new Liveness(this.#cluster, this.#schedule, profile, ofLiveness)
  }

  get nowMs(): Millis {
    return this.#cluster.scheduler.nowMs
  }

  get phase(): Phase {
    return this.#phase === "liveness" ? this.#liveness.phase : "safety"
  }

  advance(ms: Millis): RunReport | undefined {
    const { schedule } = this.#options
    try {
      if (this.#phase === "new") {
        this.#phase = "safety"
        this.#cluster.watch.onPhase("safety")
        this.#tick()
        this.#cluster.start()
        if (schedule === undefined) this.#schedule.start(this.profile.faults)
        else this.#schedule.replay(schedule, this.#catalogue.faults)
        this.#workload.start()
      }
      if (this.#phase === "liveness") {
        const convergences = this.#liveness.advance(ms)
        return convergences && this.#report(undefined, convergences)
      }
      this.#cluster.scheduler.runUntil(Math.min(this.nowMs + ms, this.totalMs))
      if (this.nowMs < this.totalMs) return undefined
      this.#phase = "liveness"
      this.#workload.stop()
      return undefined
    } catch (error) {
      return this.#report(this.#failureOf(error), [])
    }
  }

  #tick(): void {
    const { scheduler, watch } = this.#cluster
    scheduler.after(TICK_MS, () => {
      watch.onTick(scheduler.nowMs)
      this.#tick()
    })
  }

  #failureOf(error: unknown): RunFailure {
    const { trace, scheduler } = this.#cluster
    const base = { atMs: scheduler.nowMs, lastEvents: trace.last(LAST_EVENTS) }
    if (error instanceof Violation) {
      const { invariant, message, stack } = error
      return { ...base, invariant, message, stack }
    }
    // Our own assertion, or a codec that refused what its twin wrote: the product's either way.
    const { message, stack, name } = error instanceof Error ? error : new InvariantError("unknown")
    return { ...base, invariant: "assertion", message: `${name}: ${message}`, stack }
  }

  #report(failure: RunFailure | undefined, convergences: readonly Convergence[]): RunReport {
    const { trace, scheduler, oracle, writers } = this.#cluster
    // Automerge documents live outside the collector's reach: a swarm would keep them all.
    for (const { replicas } of writers) for (const replica of replicas) replica.close()
    return {
      options: this.#options,
      profile: this.profile,
      failure,
      virtualMs: scheduler.nowMs,
      convergedMs: convergences.find(({ phase }) => phase === "whole")?.tookMs,
      convergences,
      events: scheduler.tasksRun,
      writes: oracle.attempts.all.length,
      entries: oracle.ledger.size,
      forks: oracle.ledger.forks.count,
      faults: this.#schedule.counts,
      schedule: this.#schedule.events,
      hash: trace.digest(),
    }
  }
}
