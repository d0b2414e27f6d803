/**
 * The peers' addresses and when to dial each: exponential back-off with full jitter, reset only
 * by a link that was stable. An address whose node is linked already, by whichever side, is left
 * alone. What peers tell of other nodes is dialled too. Rules [L8] [L13].
 */
import { limits } from "../base/index.ts"
import type { Millis, NodeId } from "../base/index.ts"
import type { Random } from "../ports/index.ts"
import { closeCodes } from "../protocol/index.ts"
import type { CloseReason } from "../protocol/index.ts"
import type { Turn } from "./turn.ts"

/** Closed for who one side is, which an attempt soon will not change. */
const distrusts = [
  "link-not-authenticated",
  "cluster-mismatch",
  "link-version-mismatch",
  "retired",
] as const

export type Distrust = (typeof distrusts)[number]

/** Undefined if it was closed for anything else. */
export function distrustOf(reason: CloseReason | number | undefined): Distrust | undefined {
  return distrusts.find((known) => known === reason || closeCodes[known].code === reason)
}

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
  /** Why one side refused the other at the last attempt, if that was for who it is. */
  refused: Distrust | undefined
}

/** After so many failures an address that was told is given up for another. */
const learntAttempts = 3

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
          refused: undefined,
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
    if (state.state === "linked") dial.refused = undefined
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

  /**
   * Dials `node` there from now on, unless it is dialled elsewhere already. What the node itself
   * says goes before what peers say, and that before an address that led nowhere for long.
   * O(dials).
   */
  learn(node: NodeId, address: string, isSaid: boolean, nowMs: Millis): void {
    if (this.#dials.has(address)) return
    let learnt = 0
    for (const dial of this.#dials.values()) {
      if (dial.isLearnt) learnt += 1
      if (dial.node !== node) continue
      const isUseless = dial.state.state !== "linked" && dial.attempts >= learntAttempts
      if (!dial.isLearnt || !(isSaid || isUseless)) return
      this.#dials.delete(dial.address)
      learnt -= 1
    }
    if (learnt >= limits.membersMax) return
    // Whoever was told with us dials us too: not at the same moment.
    const retryAtMs = nowMs + this.#random.next() * limits.linkVectorIntervalMs
    const state = { state: "waiting", retryAtMs } as const
    const dial = { address, isLearnt: true, state, sinceMs: nowMs, node }
    this.#dials.set(address, { ...dial, attempts: 0, refused: undefined })
    this.#dueMs = undefined
  }

  /** Forgets where peers said that `node` is reached. */
  forget(node: NodeId): void {
    for (const dial of this.#dials.values()) {
      if (dial.isLearnt && dial.node === node) this.#dials.delete(dial.address)
    }
    this.#dueMs = undefined
  }

  /**
   * The attempt or the link is over. `livedMs`: how long the link was up; `refused`: one side
   * refused the other.
   */
  failed(dial: Dial | undefined, nowMs: Millis, livedMs: Millis, refused?: Distrust): void {
    if (dial === undefined || dial.state.state === "self") return
    dial.refused = refused
    if (refused !== undefined) {
      const waitMs = limits.linkBackoffMsMax * (1 + this.#random.next())
      dial.attempts += 1
      this.set(dial, { state: "waiting", retryAtMs: nowMs + waitMs }, nowMs)
      return
    }
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
