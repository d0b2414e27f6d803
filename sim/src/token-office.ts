/**
 * Who gives clients their tokens in a run, and says to nodes whose they are: a token names its user
 * and its end. Both ways take time and fail for seconds; some tokens are over when they are given.
 * Once faults are over it is always there, and all it gives are good for long.
 */
import type { Millis } from "@causeway/crdt/base"
import type { ClientInput } from "@causeway/crdt/client"
import type { TokenCheck } from "@causeway/crdt/node"
import type { SimRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Phase, Watcher } from "./watcher.ts"

const FETCH_MS = 40
const CHECK_MS = 5
/** How long it is there, and how long it is not, on average. */
const UP_MS = 12_000
const DOWN_MS = 1500
/** How many are over when they are given. */
const OVER = 0.05
const LONG_MS = 3_600_000

export class TokenOffice implements Watcher {
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  /** How long tokens of this run are good, on average. */
  readonly #forMs: Millis
  #downFromMs: Millis
  #downUntilMs: Millis
  #isCalm = false

  constructor(scheduler: Scheduler, random: SimRandom) {
    this.#scheduler = scheduler
    this.#random = random
    this.#forMs = random.logBetween(1500, 30_000)
    this.#downFromMs = random.exponential(UP_MS)
    this.#downUntilMs = this.#downFromMs + random.exponential(DOWN_MS)
  }

  onPhase(phase: Phase): void {
    this.#isCalm = phase !== "safety"
  }

  /** As an app's `token`. */
  fetch(user: string, answer: (input: ClientInput) => void): void {
    this.#scheduler.after(this.#random.exponential(FETCH_MS), () => {
      if (this.#isDown) return answer({ type: "token-failed", message: "nobody answers" })
      const untilMs = this.#scheduler.nowMs + this.#drawMs()
      answer({ type: "token", token: `${user} ${untilMs}` })
    })
  }

  check(token: string, answer: (check: TokenCheck) => void): void {
    this.#scheduler.after(this.#random.exponential(CHECK_MS), () => answer(this.#found(token)))
  }

  /** Stock clients, and whoever shows none, are anybody. */
  anybody(): TokenCheck {
    return this.#found("")
  }

  #found(token: string): TokenCheck {
    if (this.#isDown) return { type: "failed", message: "nobody answers" }
    if (token === "") return { type: "valid", user: "anybody", forMs: LONG_MS }
    const [user = "", until] = token.split(" ")
    const forMs = Number(until) - this.#scheduler.nowMs
    if (forMs > 0) return { type: "valid", user, forMs }
    return { type: "refused", reason: "the token is over" }
  }

  #drawMs(): Millis {
    if (this.#isCalm) return LONG_MS
    if (this.#random.chance(OVER)) return 0
    return this.#random.between(0.5, 1.5) * this.#forMs
  }

  get #isDown(): boolean {
    const { nowMs } = this.#scheduler
    while (nowMs >= this.#downUntilMs) {
      this.#downFromMs = this.#downUntilMs + this.#random.exponential(UP_MS)
      this.#downUntilMs = this.#downFromMs + this.#random.exponential(DOWN_MS)
    }
    return !this.#isCalm && nowMs >= this.#downFromMs
  }
}
