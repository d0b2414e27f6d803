/** A host's own clock: virtual time plus a skew. Nothing may depend on clocks agreeing. */
import type { Millis } from "@causeway/crdt/base"
import type { Scheduler } from "./scheduler.ts"

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
    this.#scheduler.at(atMs - this.#skewMs, run)
  }
}
