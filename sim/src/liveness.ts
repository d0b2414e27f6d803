/**
 * Liveness, after safety: no more writes and no new faults. First a core has to converge by itself
 * while everything else stays as broken as it is, then everything is well and has to converge too,
 * each thing it waits for within its budget. Asks again and again whether that is so, in slices, so
 * that a caller can show progress or stop; it changes nothing else.
 */
import type { Millis } from "@causeway/crdt/base"
import { budgetOf } from "./budget.ts"
import type { Budget, Slowness } from "./budget.ts"
import { checkPromises, difference, unrest } from "./checkers/final.ts"
import type { Cause, EndOfRun, Unrest } from "./checkers/final.ts"
import { engines } from "./engine-cache.ts"
import type { Cluster } from "./cluster.ts"
import { drawCore, healCore } from "./core.ts"
import type { Core } from "./core.ts"
import type { FaultSchedule } from "./faults/index.ts"
import type { Profile } from "./options.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { Violation } from "./violation.ts"
import type { SimWriter } from "./writer.ts"

/** One thing that a phase waited for. */
export type Wait = {
  readonly cause: Cause
  /** How long at most at a time. */
  readonly tookMs: Millis
  readonly budgetMs: Millis
}

/** How a phase of liveness went. */
export type Convergence = {
  readonly phase: "core" | "whole"
  readonly nodes: number
  /** From the heal to rest. */
  readonly tookMs: Millis
  readonly waits: readonly Wait[]
}

const POLL_MS = 250
/** After quiet, what is under way to clients arrives. */
const SETTLE_MS = 2000
/** A node that starts has to be linked anew, but one that starts again and again is not excused. */
const STARTS_MAX = 3

const causes = ["links", "clients", "updates", "forks", "level", "tiers", "shown", "rest"] as const

/** A wait begins once nobody waits for any of these. */
const needs: Readonly<Record<Cause, readonly Cause[]>> = {
  links: [],
  clients: [],
  updates: ["clients"],
  forks: ["links"],
  level: ["links", "clients", "updates", "forks"],
  shown: ["links", "clients", "updates", "forks", "level"],
  tiers: ["links", "clients", "updates", "forks", "level"],
  rest: [],
}

export class Liveness {
  readonly #cluster: Cluster
  readonly #schedule: FaultSchedule
  readonly #profile: Profile
  readonly #random: SimRandom
  readonly #steps: Generator<undefined, Convergence[]>
  #phase: "core" | "whole" = "core"
  #sliceEndMs: Millis = 0
  #progressMs: Millis = 0
  /** When nodes were last seen not to be linked, or the heal. */
  #unlinkedMs: Millis = 0
  /** When each wait began. */
  readonly #sinceMs = new Map<Cause, Millis>()
  /** A node started since the budget was made. */
  #hasStarted = false
  #startsLeft = 0
  #movesLeft = 0
  readonly #homes = new Map<SimWriter, HostId | undefined>()

  constructor(cluster: Cluster, schedule: FaultSchedule, profile: Profile, random: SimRandom) {
    this.#cluster = cluster
    this.#schedule = schedule
    this.#profile = profile
    this.#random = random
    this.#steps = this.#run()
    cluster.watch.add({
      onDurable: () => (this.#progressMs = cluster.scheduler.nowMs),
      onNodeStarted: () => this.#onStarted(),
      onConnected: (writer, node) => this.#onConnected(writer, node),
    })
  }

  get phase(): "core" | "whole" {
    return this.#phase
  }

  /** Runs on for up to `ms` of virtual time; gives how it went once it is over. */
  advance(ms: Millis): Convergence[] | undefined {
    this.#sliceEndMs = this.#cluster.scheduler.nowMs + ms
    const { done, value } = this.#steps.next()
    return done === true ? value : undefined
  }

  *#run(): Generator<undefined, Convergence[]> {
    const core = drawCore(this.#cluster, this.#random)
    const done: Convergence[] = []
    if (core !== undefined) done.push(yield* this.#core(core))
    done.push(yield* this.#whole())
    this.#cluster.watch.onRest()
    return done
  }

  *#core(core: Core): Generator<undefined, Convergence> {
    const slowness = this.#slowness(core)
    this.#cluster.watch.onPhase("core")
    const thaw = healCore(core, this.#cluster, this.#schedule, this.#random)
    const end = this.#endOf(core, false)
    const converged = yield* this.#converge(end, () => this.#budget(core, slowness))
    thaw()
    return converged
  }

  *#whole(): Generator<undefined, Convergence> {
    const { nodes, writers, watch } = this.#cluster
    const slowness = this.#slowness({ nodes, writers })
    this.#phase = "whole"
    this.#schedule.stop()
    watch.onPhase("whole")
    const end = this.#endOf({ nodes, writers }, true)
    const converged = yield* this.#converge(end, () => this.#budget({ nodes, writers }, slowness))
    checkPromises(end)
    return converged
  }

  *#converge(end: EndOfRun, makeBudget: () => Budget): Generator<undefined, Convergence> {
    const { scheduler } = this.#cluster
    let budget = makeBudget()
    this.#hasStarted = false
    const startMs = scheduler.nowMs
    this.#progressMs = startMs
    this.#unlinkedMs = startMs
    this.#beginWaits(causes)
    this.#startsLeft = STARTS_MAX * end.nodes.length
    this.#movesLeft = end.writers.length
    const waited = new Map<Cause, Millis>()
    for (;;) {
      yield* this.#until(scheduler.nowMs + POLL_MS)
      // Who waited for it waits longer between attempts by now.
      if (this.#hasStarted) budget = larger(budget, makeBudget())
      this.#hasStarted = false
      const quietMs = scheduler.nowMs
      let found = unrest(end)
      const isLevel = found.length === 0
      if (isLevel) {
        yield* this.#until(scheduler.nowMs + SETTLE_MS)
        found = unrest(end)
        const differs = found.length === 0 ? yield* difference(end) : undefined
        if (differs !== undefined) found = [differs]
      }
      if (found.length === 0) {
        const tookMs = quietMs - startMs
        return { phase: this.#phase, nodes: end.nodes.length, tookMs, waits: waits(waited, budget) }
      }
      for (const { cause } of found) {
        if (cause === "links") this.#unlinkedMs = scheduler.nowMs
        this.#beginWaits(causes.filter((other) => needs[other].includes(cause)))
        waited.set(cause, Math.max(waited.get(cause) ?? 0, this.#waitedMs(cause)))
      }
      const late = this.#late(found, budget)
      if (late === undefined) continue
      // At rest and yet different: a lost write says more than that.
      if (end.whole && isLevel) checkPromises(end)
      const ofWhom = end.whole ? "all is well" : `a core (${nodesOf(end)}) is well`
      throw new Violation(late.invariant, `${ofWhom}, and after ${late.how}: ${late.why}`)
    }
  }

  /** The first thing that is waited for in vain, and how long it was. */
  #late(
    found: readonly Unrest[],
    budget: Budget,
  ): { readonly invariant: string; readonly how: string; readonly why: string } | undefined {
    for (const { cause, invariant, why } of found) {
      if (this.#waitedMs(cause) > budget[cause]) {
        return { invariant, why, how: `the ${Math.round(budget[cause])} ms that ${cause} may take` }
      }
      const entryMs = this.#cluster.scheduler.nowMs - this.#progressMs
      const stalledMs = Math.min(entryMs, this.#cluster.scheduler.nowMs - this.#unlinkedMs)
      const isStalled = cause === "level" && invariant === "convergence"
      if (isStalled && stalledMs > budget.stallMs) {
        return { invariant, why, how: `${Math.round(stalledMs)} ms without an entry` }
      }
    }
    return undefined
  }

  #waitedMs(cause: Cause): Millis {
    return this.#cluster.scheduler.nowMs - (this.#sinceMs.get(cause) ?? 0)
  }

  #beginWaits(begun: readonly Cause[]): void {
    for (const cause of begun) this.#sinceMs.set(cause, this.#cluster.scheduler.nowMs)
  }

  #onStarted(): void {
    if (this.#startsLeft === 0) return
    this.#startsLeft -= 1
    this.#hasStarted = true
    this.#unlinkedMs = this.#cluster.scheduler.nowMs
    this.#beginWaits(causes)
  }

  /** A client that goes back to its first url greets anew; nobody does so again and again. [C7] */
  #onConnected(writer: SimWriter, node: HostId | undefined): void {
    const hasMoved = node !== undefined && this.#homes.get(writer) !== undefined
    this.#homes.set(writer, node)
    if (!hasMoved || this.#movesLeft === 0) return
    this.#movesLeft -= 1
    this.#beginWaits(causes.filter((cause) => cause !== "links" && cause !== "forks"))
  }

  /** Virtual time goes on until then, slice by slice. */
  *#until(atMs: Millis): Generator<undefined, void> {
    const { scheduler } = this.#cluster
    while (scheduler.nowMs < atMs) {
      scheduler.runUntil(Math.min(atMs, this.#sliceEndMs))
      if (scheduler.nowMs < atMs) yield
    }
  }

  #endOf({ nodes, writers }: Core, whole: boolean): EndOfRun {
    const { documents, oracle, network } = this.#cluster
    const random = this.#random
    const openConnections = () => network.openCount
    const tornConnections = () => network.torn.length
    const hosts = new Set([...nodes, ...writers].map(({ host }) => host))
    const unreadConnections = () => network.unreadBy(hosts)
    const connections = { openConnections, tornConnections, unreadConnections }
    return { whole, engines, nodes, writers, documents, oracle, random, ...connections }
  }

  #slowness({ nodes }: Core): Slowness {
    const disk = Math.max(...nodes.map((node) => node.disk.health.slowness))
    const job = Math.max(...nodes.map((node) => node.jobSlowness))
    return { disk, job, path: this.#cluster.network.reachability.slowest }
  }

  #budget({ nodes, writers }: Core, slowness: Slowness): Budget {
    const { oracle, scheduler, network } = this.#cluster
    const { ledger, attempts } = oracle
    const { lingersUntilMs } = this.#schedule
    return budgetOf({
      nowMs: scheduler.nowMs,
      nodes,
      writers,
      others: this.#cluster.nodes.length - nodes.length,
      profile: this.#profile,
      ledger,
      attempts,
      lingersUntilMs,
      torn: network.torn,
      slowness,
    })
  }
}

function larger(one: Budget, other: Budget): Budget {
  const causesMs = causes.map((cause) => [cause, Math.max(one[cause], other[cause])] as const)
  const stallMs = Math.max(one.stallMs, other.stallMs)
  // cast: of each cause, as `causes` names them all.
  return { ...(Object.fromEntries(causesMs) as Record<Cause, Millis>), stallMs }
}

function waits(waited: ReadonlyMap<Cause, Millis>, budget: Budget): Wait[] {
  return [...waited].map(([cause, tookMs]) => ({ cause, tookMs, budgetMs: budget[cause] }))
}

function nodesOf({ nodes }: EndOfRun): string {
  return nodes.map(({ node }) => node).join(" ")
}
