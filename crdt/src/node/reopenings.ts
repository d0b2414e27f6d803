/**
 * How often a process opens its store anew for a doubt. A peer can cause two kinds, by entries that
 * a log could have: each costs what is logged again, and one of them an origin for ever, so the
 * pauses between openings of a kind double. The third kind reads the whole log. The first of each
 * comes at once; a process that starts begins anew, as its start is nothing a peer can cause.
 * Rule [E5].
 */
import { limits } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import type { ReopenDoubt } from "../ports/index.ts"

/** From when on a core may end for each kind of doubt. */
export type ReopenTimes = Readonly<Record<ReopenDoubt["why"], Millis>>

/**
 * The branch that the last fork left: of `origin`, behind `keepSeq`, nothing with a smaller hash is
 * adopted. A peer may hold what this node just cut off, and the next opening has to wait.
 */
export type StayingBranch = {
  readonly origin: OriginId
  readonly keepSeq: number
  readonly hash: Uint8Array
  readonly untilMs: Millis
}

type Doubling = { lastMs: Millis; pauseMs: Millis }

export class Reopenings {
  #fromMs: ReopenTimes = {
    overtaken: -Infinity,
    fork: -Infinity,
    retired: -Infinity,
    corrupt: -Infinity,
  }
  /** For the kinds that a peer can cause. */
  readonly #doubling: Readonly<Record<"overtaken" | "fork" | "retired", Doubling>> = {
    overtaken: { lastMs: -Infinity, pauseMs: 0 },
    fork: { lastMs: -Infinity, pauseMs: 0 },
    retired: { lastMs: -Infinity, pauseMs: 0 },
  }
  #staying: StayingBranch | undefined

  /** For the config of the next core. */
  get fromMs(): ReopenTimes {
    return this.#fromMs
  }

  /** The same. */
  get staying(): StayingBranch | undefined {
    return this.#staying
  }

  /** The store was opened anew at `nowMs`. */
  note(doubt: ReopenDoubt, nowMs: Millis): void {
    const { why } = doubt
    if (why === "corrupt") {
      this.#fromMs = { ...this.#fromMs, corrupt: nowMs + limits.reopenPauseMs }
      return
    }
    const untilMs = nowMs + this.#pauseMs(this.#doubling[why], nowMs)
    this.#fromMs = { ...this.#fromMs, [why]: untilMs }
    if (why !== "fork") return
    const { origin, keepSeq, hash } = doubt
    this.#staying = { origin, keepSeq, hash, untilMs }
  }

  #pauseMs(doubling: Doubling, nowMs: Millis): Millis {
    const { reopenPauseMs, reopenPauseMsMax } = limits
    const wasLongAgo = nowMs - doubling.lastMs > 2 * reopenPauseMsMax
    const doubled = wasLongAgo ? reopenPauseMs : doubling.pauseMs * 2
    doubling.pauseMs = Math.min(doubled, reopenPauseMsMax)
    doubling.lastMs = nowMs
    return doubling.pauseMs
  }
}
