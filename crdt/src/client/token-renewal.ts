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
  /** One was asked for, and none has come since. */
  #isAsked = false

  constructor(random: Random) {
    this.#random = random
  }

  get nextMs(): Millis {
    return this.#nextMs
  }

  /** There is another connection, or none: what was said of the last one is over. */
  reset(): void {
    this.#untilMs = Infinity
    this.#nextMs = Infinity
    this.#isAsked = false
  }

  /** Not all of those whose tokens were made at one moment come at one moment. */
  valid(forMs: Millis, nowMs: Millis): void {
    const share = (1 + this.#random.next()) / 8
    this.#untilMs = nowMs + forMs
    this.#nextMs = this.#untilMs - Math.min(share * forMs, clientLimits.tokenAheadMsMax)
  }

  /** One is asked for now; if it does not come, or is not taken, again in half of what is left. */
  asks(nowMs: Millis): void {
    this.#isAsked = true
    const { tokenRetryMsMin } = clientLimits
    const againMs = nowMs + Math.max((this.#untilMs - nowMs) / 2, tokenRetryMsMin)
    this.#nextMs = againMs < this.#untilMs ? againMs : Infinity
  }

  /** True if it was asked for, and is to be shown. */
  came(): boolean {
    const wasAsked = this.#isAsked
    this.#isAsked = false
    return wasAsked
  }
}
