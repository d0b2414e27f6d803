/**
 * One simulated run: safety first (faults and writes for so many virtual seconds, every promise
 * watched as it goes), then liveness (no more faults or writes; everything must converge and
 * come to rest within a budget). Gives a report, whether or not a promise was broken.
 */
import { InvariantError } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import { checkPromises, difference, unrest } from "./checkers/final.ts"
import type { EndOfRun } from "./checkers/final.ts"
import { Cluster, engines } from "./cluster.ts"
import { FaultSchedule } from "./faults/index.ts"
import type { FaultEvent } from "./faults/index.ts"
import { builtIn } from "./catalogue.ts"
import type { Catalogue } from "./catalogue.ts"
import { drawProfile } from "./options.ts"
import type { Profile, SimOptions } from "./options.ts"
import { realParts } from "./parts.ts"
import type { Parts } from "./parts.ts"
import { SimRandom } from "./random.ts"
import { Violation } from "./violation.ts"
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
  /** From the end of faults to rest. */
  readonly convergedMs: Millis | undefined
  readonly events: number
  readonly writes: number
  readonly entries: number
  readonly faults: ReadonlyMap<string, number>
  /** Every fault that fired; as `SimOptions.schedule` it gives the same run. */
  readonly schedule: readonly FaultEvent[]
  readonly hash: string
}

/** A run, advanced bit by bit so that a caller can show progress or stop. */
export type Run = {
  readonly profile: Profile
  readonly totalMs: Millis
  readonly nowMs: Millis
  /** Runs on for up to `ms` of virtual time; gives the report once the run is over. */
  advance(ms: Millis): RunReport | undefined
}

/** Back-offs go up to 30 s and a silent link is given up after 15 s; each may hit twice. */
const CONVERGENCE_MS = 120_000
const POLL_MS = 250
/** After quiet, what is under way to clients arrives. */
const SETTLE_MS = 2000
const LAST_EVENTS = 60
/** How often watchers are told the time. */
const TICK_MS = 1000

export function startRun(
  options: SimOptions,
  catalogue: Catalogue = builtIn,
  parts: Parts = realParts,
): Run {
  const random = new SimRandom(options.seed)
  const profile = drawProfile(options, random.split("profile"), catalogue)
  return new Simulation(options, profile, catalogue, parts, random)
}

export function runToEnd(
  options: SimOptions,
  catalogue: Catalogue = builtIn,
  parts: Parts = realParts,
): RunReport {
  const run = startRun(options, catalogue, parts)
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
  readonly #end: EndOfRun
  #phase: "new" | "safety" | "liveness" = "new"

  constructor(
    options: SimOptions,
    profile: Profile,
    catalogue: Catalogue,
    parts: Parts,
    random: SimRandom,
  ) {
    this.#options = options
    this.#catalogue = catalogue
    this.profile = profile
    this.totalMs = options.seconds * 1000
    this.#cluster = new Cluster(options, profile, parts, random)
    const { trace, watch, writers, nodes, documents, oracle } = this.#cluster
    for (const { watch: start } of catalogue.invariants) {
      if (start !== undefined) watch.add(start(this.#cluster))
    }
    this.#schedule = new FaultSchedule(this.#cluster, random.split("schedule"), trace, watch)
    this.#workload = new Workload(this.#cluster, random.split("workload"), profile, options)
    this.#end = {
      engines,
      nodes,
      writers,
      documents,
      oracle,
      random: random.split("end"),
      openConnections: () => this.#cluster.network.openCount,
    }
  }

  get nowMs(): Millis {
    return this.#cluster.scheduler.nowMs
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
      this.#cluster.scheduler.runUntil(Math.min(this.nowMs + ms, this.totalMs))
      if (this.nowMs < this.totalMs) return undefined
      this.#phase = "liveness"
      return this.#report(undefined, this.#converge())
    } catch (error) {
      return this.#report(this.#failureOf(error), undefined)
    }
  }

  #tick(): void {
    const { scheduler, watch } = this.#cluster
    scheduler.after(TICK_MS, () => {
      watch.onTick(scheduler.nowMs)
      this.#tick()
    })
  }

  /** Gives how long it took. */
  #converge(): Millis {
    const { scheduler } = this.#cluster
    this.#workload.stop()
    this.#schedule.stop()
    this.#cluster.watch.onPhase("whole")
    const startMs = scheduler.nowMs
    for (;;) {
      scheduler.runUntil(scheduler.nowMs + POLL_MS)
      const quietMs = scheduler.nowMs
      let found = unrest(this.#end)
      if (found === undefined) {
        scheduler.runUntil(scheduler.nowMs + SETTLE_MS)
        found = unrest(this.#end) ?? difference(this.#end)
      }
      if (found === undefined) {
        checkPromises(this.#end)
        this.#cluster.watch.onRest()
        return quietMs - startMs
      }
      if (scheduler.nowMs - startMs > CONVERGENCE_MS) {
        // At rest and yet different: a lost write says more than that.
        if (unrest(this.#end) === undefined) checkPromises(this.#end)
        throw new Violation(found.invariant, `after ${CONVERGENCE_MS} ms of calm: ${found.why}`)
      }
    }
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

  #report(failure: RunFailure | undefined, convergedMs: Millis | undefined): RunReport {
    const { trace, scheduler, oracle } = this.#cluster
    return {
      options: this.#options,
      profile: this.profile,
      failure,
      virtualMs: scheduler.nowMs,
      convergedMs,
      events: scheduler.tasksRun,
      writes: oracle.attempts.all.length,
      entries: oracle.ledger.size,
      faults: this.#schedule.counts,
      schedule: this.#schedule.events,
      hash: trace.digest(),
    }
  }
}
