/**
 * How often a process opens its store anew for a doubt. A peer can cause one kind, as links are not
 * authenticated: each costs an origin for ever, so the pauses between them double. The other kind
 * reads the whole log. The first of each comes at once; a process that starts begins anew, as its
 * start is nothing a peer can cause. Rule [E5].
 */
import { limits } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import type { ReopenDoubt } from "../ports/index.ts"

/** From when on a core may end for each kind of doubt. */
export type ReopenTimes = Readonly<Record<ReopenDoubt["why"], Millis>>

export class Reopenings {
  #fromMs: ReopenTimes = { overtaken: -Infinity, corrupt: -Infinity }
  #overtakenMs: Millis = -Infinity
  #overtakenPauseMs = 0

  /** For the config of the next core. */
  get fromMs(): ReopenTimes {
    return this.#fromMs
  }

  /** The store was opened anew at `nowMs`. */
  note(why: ReopenDoubt["why"], nowMs: Millis): void {
    const { reopenPauseMs, reopenPauseMsMax } = limits
    if (why === "corrupt") {
      this.#fromMs = { ...this.#fromMs, corrupt: nowMs + reopenPauseMs }
      return
    }
    const wasLongAgo = nowMs - this.#overtakenMs > 2 * reopenPauseMsMax
    const doubled = wasLongAgo ? reopenPauseMs : this.#overtakenPauseMs * 2
    this.#overtakenPauseMs = Math.min(doubled, reopenPauseMsMax)
    this.#overtakenMs = nowMs
    this.#fromMs = { ...this.#fromMs, overtaken: nowMs + this.#overtakenPauseMs }
  }
}
