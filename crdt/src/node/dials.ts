/**
 * The peers' addresses and when to dial each: exponential back-off with full jitter, reset only
 * by a link that was stable. An address whose node is linked already, by whichever side, is left
 * alone. Rule [L8].
 */
import { limits } from "../base/index.ts"
import type { Millis, NodeId } from "../base/index.ts"
import type { Random } from "../ports/index.ts"
import type { Turn } from "./turn.ts"

export type DialState =
  | { readonly state: "waiting"; readonly retryAtMs: Millis }
  | { readonly state: "connecting" }
  | { readonly state: "linked" }
  /** It leads back to this node. */
  | { readonly state: "self" }

export type Dial = {
  readonly address: string
  /** Peers told it; all others are configured. */
  readonly isLearnt: boolean
  state: DialState
  sinceMs: Millis
  /** Whom it led to last; no more than a hint. */
  node: NodeId | undefined
  attempts: number
}

export class Dials {
  readonly #dials: Map<string, Dial>
  readonly #random: Random
  /** When the next one is due; undefined: to be found out. */
  #dueMs: Millis | undefined

  constructor(addresses: readonly string[], random: Random, nowMs: Millis) {
    this.#random = random
    this.#dials = new Map(
      addresses.map((address) => [
        address,
        {
          address,
          isLearnt: false,
          state: { state: "waiting", retryAtMs: nowMs },
          sinceMs: nowMs,
          node: undefined,
          attempts: 0,
        },
      ]),
    )
  }

  all(): Iterable<Dial> {
    return this.#dials.values()
  }

  find(address: string | undefined): Dial | undefined {
    return address === undefined ? undefined : this.#dials.get(address)
  }

  set(dial: Dial | undefined, state: DialState, nowMs: Millis): void {
    if (state.state === "linked") this.#bringForward(nowMs)
    if (dial === undefined) return
    dial.state = state
    this.#dueMs = undefined
    dial.sinceMs = nowMs
  }

  /**
   * A link came up, so what kept the others away may be over as well: each is tried once at once,
   * after which its back-off goes on. Who has to wait for the whole of it was told to.
   */
  #bringForward(nowMs: Millis): void {
    for (const dial of this.#dials.values()) {
      const { state, sinceMs } = dial
      if (state.state !== "waiting" || dial.attempts === 0) continue
      if (state.retryAtMs - sinceMs >= limits.linkBackoffMsMax) continue
      const soonMs = nowMs + this.#random.next() * limits.linkBackoffMsMin
      if (soonMs < state.retryAtMs) dial.state = { state: "waiting", retryAtMs: soonMs }
    }
    this.#dueMs = undefined
  }

  /** The attempt or the link is over. `livedMs`: how long the link was up. */
  failed(dial: Dial | undefined, nowMs: Millis, livedMs: Millis): void {
    if (dial === undefined || dial.state.state === "self") return
    if (livedMs >= limits.linkStableMs) dial.attempts = 0
    const ceiling = limits.linkBackoffMsMin * 2 ** Math.min(dial.attempts, 20)
    const waitMs = Math.min(ceiling, limits.linkBackoffMsMax)
    const jitteredMs = Math.max(limits.linkBackoffMsMin / 2, this.#random.next() * waitMs)
    dial.attempts += 1
    this.set(dial, { state: "waiting", retryAtMs: nowMs + jitteredMs }, nowMs)
  }

  /** Dials whatever is due and not linked by its peer's own doing. */
  pump(turn: Turn, isLinked: (node: NodeId) => boolean): void {
    if (this.deadline() > turn.nowMs) return
    for (const dial of this.#dials.values()) {
      if (dial.state.state !== "waiting" || dial.state.retryAtMs > turn.nowMs) continue
      if (dial.node !== undefined && isLinked(dial.node)) {
        this.set(dial, { state: "waiting", retryAtMs: turn.nowMs + limits.linkPingMs }, turn.nowMs)
        continue
      }
      this.set(dial, { state: "connecting" }, turn.nowMs)
      turn.push({ type: "dial", address: dial.address })
    }
  }

  /** Infinity if none is due. */
  deadline(): Millis {
    if (this.#dueMs !== undefined) return this.#dueMs
    let dueMs = Infinity
    for (const { state } of this.#dials.values()) {
      if (state.state === "waiting") dueMs = Math.min(dueMs, state.retryAtMs)
    }
    this.#dueMs = dueMs
    return dueMs
  }
}
