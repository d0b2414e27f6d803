/**
 * Carries the plan out on real processes and cables while the writers type, and measures how long
 * each heal takes: from the moment the cables are whole and the nodes run until every node
 * holds what any of them held.
 */
import type { Cluster, Groups } from "./cluster.ts"
import type { CutType } from "./proxy.ts"
import type { Replay } from "./replay.ts"
import type { Fault, Step } from "./schedule.ts"
import { pause } from "./wait.ts"

export type FaultCounts = {
  readonly cuts: number
  readonly kills: number
  readonly healMs: readonly number[]
}

export type FaultsOptions = {
  readonly cluster: Cluster
  readonly replay: Replay
  readonly steps: readonly Step[]
  /** For the writers to come to a step, and for one heal. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly tell: (event: string) => void
}

export class Faults {
  readonly #options: FaultsOptions
  readonly #healMs: number[] = []
  #cuts = 0
  #kills = 0

  constructor(options: FaultsOptions) {
    this.#options = options
  }

  get counts(): FaultCounts {
    return { cuts: this.#cuts, kills: this.#kills, healMs: this.#healMs }
  }

  /**
   * During a step the writers may type up to where the next one begins, and not beyond, or those
   * that a cut does not stop would be through before the plan is.
   */
  async run(): Promise<void> {
    const { replay, steps, patienceMs, signal } = this.#options
    const place = (step: Step | undefined) => Math.floor((step?.atShare ?? 1) * replay.total)
    replay.allow(place(steps[0]))
    for (const [index, step] of steps.entries()) {
      await replay.reaches(place(step), patienceMs, signal)
      replay.allow(place(steps[index + 1]))
      await this.#perform(step.fault)
      await this.#heal()
    }
  }

  async #perform(fault: Fault): Promise<void> {
    const { cluster, signal, tell } = this.#options
    switch (fault.type) {
      case "cut":
        this.#cut(fault.groups, fault.cut)
        tell(fault.cut === "stall" ? `${cluster.picture}  no byte gets through` : cluster.picture)
        return await pause(fault.ms, signal)
      case "flap":
        return await this.#flap(fault)
      case "kill":
        return await this.#kill(fault.node, fault.groups, fault.downMs)
    }
  }

  async #flap({ groups, times, downMs, upMs }: Fault & { readonly type: "flap" }): Promise<void> {
    const { cluster, signal, tell } = this.#options
    for (let time = 0; time < times; time++) {
      if (time > 0) await pause(upMs, signal)
      this.#cut(groups, "refuse")
      if (time === 0) tell(`${cluster.picture}  and whole again, ${times} times`)
      await pause(downMs, signal)
      cluster.heal()
    }
  }

  async #kill(name: string, groups: Groups, downMs: number): Promise<void> {
    const { cluster, signal, tell } = this.#options
    this.#cut(groups, "refuse")
    await cluster.node(name).kill()
    this.#kills++
    tell(`${cluster.picture}  SIGKILL ${name.toUpperCase()}`)
    await pause(downMs, signal)
    await cluster.restart(name)
    tell(`${cluster.picture}  ${name.toUpperCase()} is back`)
  }

  #cut(groups: Groups, type: CutType): void {
    this.#options.cluster.cut(groups, type)
    this.#cuts++
  }

  async #heal(): Promise<void> {
    const { cluster, patienceMs, signal, tell } = this.#options
    cluster.heal()
    const start = performance.now()
    await cluster.level({ timeoutMs: patienceMs, signal })
    const ms = performance.now() - start
    this.#healMs.push(ms)
    tell(`${cluster.picture}  healed in ${Math.round(ms)} ms`)
  }
}
