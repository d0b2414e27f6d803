/**
 * A core's one timer on virtual time: after each step it is told the next deadline; it rings at
 * that time unless an earlier one came. Stale tasks find out by themselves.
 */
import type { Millis } from "@causeway/crdt/base"
import type { HostClock } from "./clock.ts"
import { demand } from "./violation.ts"

/** A core that asks for this many deadlines without time moving spins. */
const RINGS_MAX = 1000

export class Alarm {
  readonly #clock: HostClock
  readonly #ring: () => void
  #plannedMs: Millis | undefined
  #wantedMs: Millis | undefined
  #lastRingMs: Millis = -Infinity
  #ringsAtOnce = 0
  #stopped = false

  constructor(clock: HostClock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
    clock.onChange(() => this.#onClockChanged())
  }

  want(atMs: Millis | undefined): void {
    this.#wantedMs = atMs
    if (atMs === undefined || (this.#plannedMs !== undefined && this.#plannedMs <= atMs)) return
    this.#plan(atMs)
  }

  stop(): void {
    this.#stopped = true
  }

  /** What was planned would come at another time than it was meant for. */
  #onClockChanged(): void {
    if (!this.#stopped && this.#wantedMs !== undefined) this.#plan(this.#wantedMs)
  }

  #plan(atMs: Millis): void {
    this.#plannedMs = atMs
    this.#clock.at(atMs, () => {
      if (this.#stopped || this.#plannedMs !== atMs) return
      this.#plannedMs = undefined
      if (this.#wantedMs === undefined) return
      if (this.#wantedMs > this.#clock.nowMs) return this.#plan(this.#wantedMs)
      this.#count()
      this.#ring()
    })
  }

  #count(): void {
    this.#ringsAtOnce = this.#clock.nowMs > this.#lastRingMs ? 0 : this.#ringsAtOnce + 1
    this.#lastRingMs = this.#clock.nowMs
    demand(this.#ringsAtOnce < RINGS_MAX, "liveness", () => "a core spins on its deadline")
  }
}
