/**
 * How each host reads from its sockets: at once, not at all for a while, or a trickle; and whether
 * its process stands still, which answers no handshake either. Faults may overlap: of stalls the
 * later end counts, of trickles under way the slowest. What a host does not read fills the sockets
 * of those who send.
 */
import type { Millis } from "@causeway/crdt/base"
import type { HostId } from "./reachability.ts"

type Trickle = { readonly bytesPerMs: number; readonly untilMs: Millis }

export class HostReading {
  readonly #clock: { readonly nowMs: Millis }
  readonly #stalled = new Map<HostId, Millis>()
  readonly #frozen = new Map<HostId, Millis>()
  /** Never an empty list; those that are over go when the next one begins. */
  readonly #trickles = new Map<HostId, readonly Trickle[]>()

  constructor(clock: { readonly nowMs: Millis }) {
    this.#clock = clock
  }

  /** Nothing arrives at `host` until then: a receiver that does not read. */
  stall(host: HostId, untilMs: Millis): void {
    this.#stalled.set(host, Math.max(untilMs, this.#stalled.get(host) ?? 0))
  }

  /** Its process stands still until then: it neither reads nor answers who dials it. */
  freeze(host: HostId, untilMs: Millis): void {
    this.stall(host, untilMs)
    this.#frozen.set(host, Math.max(untilMs, this.#frozen.get(host) ?? 0))
  }

  /** Each of its connections takes so many bytes a second until then. */
  trickle(host: HostId, bytesPerSecond: number, untilMs: Millis): void {
    const trickle = { bytesPerMs: bytesPerSecond / 1000, untilMs }
    this.#trickles.set(host, [...this.#underWay(host), trickle])
  }

  /** Its process is gone; the next one reads. */
  forget(host: HostId): void {
    this.#stalled.delete(host)
    this.#frozen.delete(host)
    this.#trickles.delete(host)
  }

  isFrozen(host: HostId): boolean {
    return this.#frozen.size > 0 && this.frozenUntilMs(host) > this.#clock.nowMs
  }

  frozenUntilMs(host: HostId): Millis {
    return this.#frozen.get(host) ?? 0
  }

  /** When `host` reads the next frame, having taken in the one before at `takenMs`. */
  readsAtMs(host: HostId, takenMs: Millis): Millis {
    const stalledMs = this.#stalled.size === 0 ? 0 : (this.#stalled.get(host) ?? 0)
    if (takenMs <= stalledMs || this.#trickles.size === 0) return stalledMs
    return this.#trickles.has(host) ? takenMs : stalledMs
  }

  /** When `host` has taken in a frame that it reads now: at the latest when the trickle ends. */
  takesMs(host: HostId, bytes: number): Millis {
    if (this.#trickles.size === 0) return 0
    const [first, ...others] = this.#underWay(host)
    if (first === undefined) return 0
    const { bytesPerMs, untilMs } = others.reduce((slowest, trickle) => {
      return trickle.bytesPerMs < slowest.bytesPerMs ? trickle : slowest
    }, first)
    return Math.min(this.#clock.nowMs + bytes / bytesPerMs, untilMs)
  }

  #underWay(host: HostId): readonly Trickle[] {
    const trickles = this.#trickles.get(host) ?? []
    return trickles.filter(({ untilMs }) => untilMs > this.#clock.nowMs)
  }
}
