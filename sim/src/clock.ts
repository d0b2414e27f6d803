/** A host's own clock: virtual time plus a skew. Nothing may depend on clocks agreeing. */
import type { Millis } from "@causeway/crdt/base"
import type { Scheduler } from "./scheduler.ts"

/** More than any rounding of a time below 10^9 ms, and no time at all. */
const ROUNDING_MS = 1e-6

export class HostClock {
  readonly #scheduler: Scheduler
  readonly #skewMs: Millis

  constructor(scheduler: Scheduler, skewMs: Millis) {
    this.#scheduler = scheduler
    this.#skewMs = skewMs
  }

  get nowMs(): Millis {
    return this.#scheduler.nowMs + this.#skewMs
  }

  /** Plans `run` for a time on this clock. */
  at(atMs: Millis, run: () => void): void {
    const thereMs = atMs - this.#skewMs
    // The sum there and back may round down; a core asked too early would ask for ever.
    const early = thereMs + this.#skewMs < atMs
    this.#scheduler.at(early ? thereMs + ROUNDING_MS : thereMs, run)
  }
}
