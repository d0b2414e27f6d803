/**
 * When the connection wants another token: some time before the one it was opened with is over, and
 * then again, sooner each time, until the node says that it takes one. Rule [N23].
 */
import type { Millis } from "../base/index.ts"
import type { Random } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"

export class TokenRenewal {
  readonly #random: Random
  #untilMs = Infinity
  #nextMs = Infinity
  #askedMs = -Infinity
  /** So many were asked for, and have not come. */
  #asked = 0

  constructor(random: Random) {
    this.#random = random
  }

  get nextMs(): Millis {
    return this.#nextMs
  }

  /** A connection begins with a token that has just come: what was asked for before is late. */
  dialled(): void {
    this.#asked = 0
  }

  /** There is another connection: what was said on the last one is over. */
  connected(): void {
    this.#untilMs = Infinity
    this.#nextMs = Infinity
  }

  /**
   * Not all of those whose tokens were made at one moment come at one moment; and a node that says
   * again and again that they are all but over does not make the app give one after the other.
   */
  valid(forMs: Millis, nowMs: Millis): void {
    const { tokenAheadMsMax, tokenRetryMsMin } = clientLimits
    const aheadMs = ((1 + this.#random.next()) / 2) * Math.min(forMs / 4, tokenAheadMsMax)
    this.#untilMs = nowMs + forMs
    this.#nextMs = Math.max(this.#untilMs - aheadMs, this.#askedMs + tokenRetryMsMin)
  }

  /** One is asked for now; if it does not come, or is not taken, again in half of what is left. */
  asks(nowMs: Millis): void {
    this.#asked += 1
    this.#askedMs = nowMs
    const { tokenRetryMsMin } = clientLimits
    const againMs = nowMs + Math.max((this.#untilMs - nowMs) / 2, tokenRetryMsMin)
    this.#nextMs = againMs < this.#untilMs ? againMs : Infinity
  }

  /** One came, or could not be had. True if it was asked for: then it is to be shown. */
  came(): boolean {
    const wasAsked = this.#asked > 0
    if (wasAsked) this.#asked -= 1
    return wasAsked
  }
}
