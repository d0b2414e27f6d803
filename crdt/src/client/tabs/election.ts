/**
 * Whether the tab that leads is still there, as one that follows finds out: it asks, because the
 * timers of a hidden leader are throttled, and its message handlers are not. Rule [H7].
 */
import type { Millis } from "../../base/index.ts"
import { tabLimits } from "./tab-limits.ts"

export class Election {
  #pingAtMs: Millis
  #unanswered = 0
  #firstUnansweredMs: Millis = 0

  constructor(nowMs: Millis) {
    this.#pingAtMs = nowMs
  }

  get nextDeadlineMs(): Millis {
    return this.#pingAtMs
  }

  /** The leader said something. */
  heard(): void {
    this.#unanswered = 0
  }

  /** Whether to ask now, or to take the leader's place. */
  deadline(nowMs: Millis): "ping" | "steal" | "wait" {
    if (nowMs < this.#pingAtMs) return "wait"
    // A tab that slept finds answers behind its timer: it asks anew, and never goes by time alone.
    const isDead =
      this.#unanswered >= tabLimits.pingsUnansweredMin &&
      nowMs - this.#firstUnansweredMs >= tabLimits.silentMs
    this.#pingAtMs = nowMs + tabLimits.pingMs
    if (isDead) {
      this.#unanswered = 0
      return "steal"
    }
    if (this.#unanswered === 0) this.#firstUnansweredMs = nowMs
    this.#unanswered += 1
    return "ping"
  }
}
