/**
 * A host's own clock: virtual time plus a skew, and perhaps not at its pace. Nothing may depend on
 * clocks agreeing. While a process lives its clock only goes forwards, as production's does; it
 * may jump forwards (a suspended or migrated machine), and go back between two lives.
 */
import { assert } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { Scheduler } from "./scheduler.ts"

/** More than any rounding of a time below 10^11 ms, and no time at all. */
const ROUNDING_MS = 1e-4

export class HostClock {
  readonly #scheduler: Scheduler
  /** The clock showed `fromMs` at `sinceMs` of virtual time and goes at `pace` from there. */
  #fromMs: Millis
  #sinceMs: Millis = 0
  #pace = 1
  #onChange: () => void = () => undefined

  constructor(scheduler: Scheduler, skewMs: Millis) {
    this.#scheduler = scheduler
    this.#fromMs = skewMs
  }

  get nowMs(): Millis {
    return this.#fromMs + (this.#scheduler.nowMs - this.#sinceMs) * this.#pace
  }

  /** Plans `run` for a time on this clock, as it goes now. */
  at(atMs: Millis, run: () => void): void {
    const thereMs = this.#sinceMs + (atMs - this.#fromMs) / this.#pace
    // The way there and back may round down; a core asked too early would ask for ever.
    const shownMs = this.#fromMs + (thereMs - this.#sinceMs) * this.#pace
    this.#scheduler.at(shownMs < atMs ? thereMs + ROUNDING_MS : thereMs, run)
  }

  /** Who plans by this clock hears of every change of it. */
  onChange(run: () => void): void {
    this.#onChange = run
  }

  /** The clock leaps forwards. */
  jump(byMs: Millis): void {
    assert(byMs >= 0, "a clock does not go back while a process lives")
    this.#set(this.nowMs + byMs, this.#pace)
  }

  /** Ten per cent fast is 1.1. */
  setPace(pace: number): void {
    assert(pace > 0, "a clock goes on")
    this.#set(this.nowMs, pace)
  }

  /** The clock is set back; only between two lives of its host's process. */
  setBack(byMs: Millis): void {
    this.#set(this.nowMs - byMs, this.#pace)
  }

  #set(nowMs: Millis, pace: number): void {
    this.#fromMs = nowMs
    this.#sinceMs = this.#scheduler.nowMs
    this.#pace = pace
    this.#onChange()
  }
}
