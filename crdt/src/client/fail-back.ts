/**
 * The way back to the url that the app named first. While a client is connected to another, it
 * opens a second socket there now and then; only once that is open does it leave the first, so
 * that looking costs the app nothing. Rule [C7].
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, Millis } from "../base/index.ts"
import type { Random } from "../ports/index.ts"
import { BackOff } from "./back-off.ts"
import { clientLimits } from "./client-limits.ts"

/** A socket to a better url that is opening. */
export type Probe = {
  readonly socket: ConnectionId
  readonly url: string
  readonly untilMs: Millis
}

export class FailBack {
  readonly #backOff: BackOff
  #dueMs = Infinity
  #probe: Probe | undefined

  constructor(random: Random) {
    this.#backOff = new BackOff(random, clientLimits.failBackMsMin, clientLimits.failBackMsMax)
  }

  get probe(): Probe | undefined {
    return this.#probe
  }

  get nextMs(): Millis {
    return this.#probe?.untilMs ?? this.#dueMs
  }

  /** A look is due later: the client is connected, to a url that is not the first. */
  plan(nowMs: Millis): void {
    this.#probe = undefined
    this.#dueMs = nowMs + clientLimits.failBackMsMin + this.#backOff.next()
  }

  start(socket: ConnectionId, url: string, nowMs: Millis): void {
    this.#probe = { socket, url, untilMs: nowMs + limits.clientHandshakeMs }
  }

  /** The connection has ended, or is where it should be. */
  stop(): void {
    this.#probe = undefined
    this.#dueMs = Infinity
  }

  /** A connection to the first url was stable: the next loss starts with short waits. */
  reset(): void {
    this.#backOff.reset()
  }
}
