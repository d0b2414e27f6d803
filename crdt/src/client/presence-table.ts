/**
 * One document's presence: this client's own states and the clocks of the others'. A higher
 * clock wins, an equal one only if it says `null` [N9]. Own states go out with a higher clock
 * each time, because a node announces them as gone when a connection closes.
 */
import { limits } from "../base/index.ts"
import { isPresenceGone, presenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"

type Own = { clock: number; state: Uint8Array; unsent: boolean }

export class PresenceTable {
  readonly #own = new Map<number, Own>()
  readonly #others = new Map<number, number>()
  readonly #firstClock: number

  /** `firstClock`: own clocks are above it. */
  constructor(firstClock = 0) {
    this.#firstClock = firstClock
  }

  /** No own clock is above it. */
  get lastClock(): number {
    let last = this.#firstClock
    for (const { clock } of this.#own.values()) last = Math.max(last, clock)
    return last
  }

  get hasOwn(): boolean {
    return [...this.#own.values()].some(({ state }) => !isPresenceGone(state))
  }

  /** `above`: its clocks are above that, if nothing of it is known. */
  set(client: number, state: Uint8Array, above = 0): void {
    const known = this.#own.get(client)
    const isSaid = known !== undefined && known.clock > this.#firstClock
    if (!isSaid && isPresenceGone(state)) {
      this.#own.delete(client)
      return
    }
    if (known === undefined && this.#own.size >= limits.presenceClientsMax) return
    // Of a tab whose leader was another client just now, nodes say what they heard from that.
    const heard = this.#others.get(client) ?? 0
    this.#others.delete(client)
    const clock = known?.clock ?? Math.max(this.#firstClock, heard, above)
    this.#own.set(client, { clock, state, unsent: true })
  }

  leaveAll(): void {
    for (const client of this.#own.keys()) this.set(client, presenceGone)
  }

  /** Own states go out once more: on a new connection, or before they expire. */
  renew(): void {
    for (const own of this.#own.values()) if (!isPresenceGone(own.state)) own.unsent = true
  }

  get hasUnsent(): boolean {
    return [...this.#own.values()].some(({ unsent }) => unsent)
  }

  /** Own states that have to be sent, each with a new clock. */
  outgoing(): PresenceEntry[] {
    const entries: PresenceEntry[] = []
    for (const [client, own] of this.#own) {
      if (!own.unsent) continue
      own.clock += 1
      own.unsent = false
      entries.push({ client, clock: own.clock, state: own.state })
    }
    return entries
  }

  /**
   * Takes what a node says. `news`: states of others that are newer than what was known;
   * `contested`: an own state was called gone and has to be sent again.
   */
  receive(entries: readonly PresenceEntry[]): { news: PresenceEntry[]; contested: boolean } {
    const news: PresenceEntry[] = []
    let contested = false
    for (const entry of entries) {
      const own = this.#own.get(entry.client)
      if (own !== undefined) {
        const gone = isPresenceGone(entry.state) && !isPresenceGone(own.state)
        if (gone && entry.clock >= own.clock) {
          own.unsent = true
          contested = true
        }
        own.clock = Math.max(own.clock, Math.min(entry.clock, Number.MAX_SAFE_INTEGER - 2 ** 32))
      } else if (this.#takeOther(entry)) news.push(entry)
    }
    return { news, contested }
  }

  /** The connection is gone, and so is all that is known of others. */
  forgetOthers(): PresenceEntry[] {
    const entries = [...this.#others].map(([client, clock]) => {
      return { client, clock, state: presenceGone }
    })
    this.#others.clear()
    return entries
  }

  #takeOther({ client, clock, state }: PresenceEntry): boolean {
    const known = this.#others.get(client)
    if (isPresenceGone(state)) {
      if (known === undefined || clock < known) return false
      return this.#others.delete(client)
    }
    if (known === undefined && this.#others.size >= limits.presenceClientsMax) return false
    if (known !== undefined && clock <= known) return false
    this.#others.set(client, clock)
    return true
  }
}
