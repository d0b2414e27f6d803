/**
 * Liveness, after safety: no more writes and no new faults. First a core has to converge by itself
 * while everything else stays as broken as it is, then everything is well and has to converge too,
 * each within its budget. Asks again and again whether that is so; it changes nothing else.
 */
import type { Millis } from "@causeway/crdt/base"
import { budgetOf } from "./budget.ts"
import type { Budget } from "./budget.ts"
import { checkPromises, difference, unrest } from "./checkers/final.ts"
import type { EndOfRun } from "./checkers/final.ts"
import { engines } from "./engine-cache.ts"
import type { Cluster } from "./cluster.ts"
import { drawCore, healCore } from "./core.ts"
import type { Core } from "./core.ts"
import type { FaultSchedule } from "./faults/index.ts"
import type { Profile } from "./options.ts"
import type { SimRandom } from "./random.ts"
import { Violation } from "./violation.ts"

/** How a phase of liveness went. */
export type Convergence = {
  readonly phase: "core" | "whole"
  readonly nodes: number
  /** From the heal to rest. */
  readonly tookMs: Millis
  readonly budgetMs: Millis
}

const POLL_MS = 250
/** After quiet, what is under way to clients arrives. */
const SETTLE_MS = 2000

export class Liveness {
  readonly #cluster: Cluster
  readonly #schedule: FaultSchedule
  readonly #profile: Profile
  readonly #random: SimRandom
  #progressMs: Millis = 0

  constructor(cluster: Cluster, schedule: FaultSchedule, profile: Profile, random: SimRandom) {
    this.#cluster = cluster
    this.#schedule = schedule
    this.#profile = profile
    this.#random = random
    cluster.watch.add({ onDurable: () => (this.#progressMs = cluster.scheduler.nowMs) })
  }

  run(): Convergence[] {
    const core = drawCore(this.#cluster, this.#random)
    const done: Convergence[] = []
    if (core !== undefined) done.push(this.#core(core))
    done.push(this.#whole())
    this.#cluster.watch.onRest()
    return done
  }

  #core(core: Core): Convergence {
    const slowness = this.#slowness()
    this.#cluster.watch.onPhase("core")
    const thaw = healCore(core, this.#cluster, this.#schedule, this.#random)
    const end = this.#endOf(core, false)
    const converged = this.#converge("core", end, this.#budget(core, slowness))
    thaw()
    return converged
  }

  #whole(): Convergence {
    const { nodes, writers, watch } = this.#cluster
    const slowness = this.#slowness()
    this.#schedule.stop()
    watch.onPhase("whole")
    const end = this.#endOf({ nodes, writers }, true)
    const converged = this.#converge("whole", end, this.#budget({ nodes, writers }, slowness))
    checkPromises(end)
    return converged
  }

  #converge(phase: "core" | "whole", end: EndOfRun, budget: Budget): Convergence {
    const { scheduler } = this.#cluster
    const startMs = scheduler.nowMs
    this.#progressMs = startMs
    for (;;) {
      scheduler.runUntil(scheduler.nowMs + POLL_MS)
      const quietMs = scheduler.nowMs
      let found = unrest(end)
      const isLevel = found === undefined
      if (isLevel) {
        scheduler.runUntil(scheduler.nowMs + SETTLE_MS)
        found = unrest(end) ?? difference(end)
      }
      if (found === undefined) {
        const budgetMs = budget.totalMs
        return { phase, nodes: end.nodes.length, tookMs: quietMs - startMs, budgetMs }
      }
      const tookMs = scheduler.nowMs - startMs
      const stalledMs = scheduler.nowMs - this.#progressMs
      const isStalled = found.invariant === "convergence" && !isLevel && stalledMs > budget.stallMs
      if (tookMs <= budget.totalMs && !isStalled) continue
      // At rest and yet different: a lost write says more than that.
      if (end.whole && isLevel) checkPromises(end)
      const ofWhom = phase === "whole" ? "all is well" : `a core (${nodesOf(end)}) is well`
      const waited = isStalled ? `${Math.round(stalledMs)} ms without an entry` : "its budget of"
      const bound = isStalled ? "" : ` ${Math.round(budget.totalMs)} ms`
      const { invariant, why } = found
      throw new Violation(invariant, `${ofWhom}, and after ${waited}${bound}: ${why}`)
    }
  }

  #endOf({ nodes, writers }: Core, whole: boolean): EndOfRun {
    const { documents, oracle, network } = this.#cluster
    const random = this.#random
    const openConnections = () => network.openCount
    const tornConnections = () => network.tornCount
    const hosts = new Set([...nodes, ...writers].map(({ host }) => host))
    const unreadConnections = () => network.unreadBy(hosts)
    const connections = { openConnections, tornConnections, unreadConnections }
    return { whole, engines, nodes, writers, documents, oracle, random, ...connections }
  }

  #slowness(): { disk: number; path: number } {
    const { nodes, network } = this.#cluster
    const disk = Math.max(...nodes.map((node) => node.disk.health.slowness))
    return { disk, path: network.reachability.slowest }
  }

  #budget({ nodes, writers }: Core, slowness: { disk: number; path: number }): Budget {
    const { oracle, scheduler } = this.#cluster
    const { ledger, attempts } = oracle
    const profile = this.#profile
    const { nowMs } = scheduler
    const faultsEndMs = this.#schedule.lastEndMs
    return budgetOf({ nowMs, nodes, writers, profile, ledger, attempts, faultsEndMs, slowness })
  }
}

function nodesOf({ nodes }: EndOfRun): string {
  return nodes.map(({ node }) => node).join(" ")
}
