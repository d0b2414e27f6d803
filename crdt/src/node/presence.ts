/**
 * One document's presence: the latest state of each client, never logged, forgotten when nobody
 * renews it. A higher clock wins, an equal one only if it says `null` (y-protocols' awareness
 * rule). States that are gone stay as tombstones until they age out, so that a client which comes
 * back with an old clock can be told. Rules [N9] [Y5] [Y6].
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, Millis, NodeId } from "../base/index.ts"
import { isPresenceGone, presenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"

/** Who announced a state: a connection of ours, or a peer. */
export type PresenceOwner = ConnectionId | NodeId

type Held = { entry: PresenceEntry; owner: PresenceOwner; atMs: Millis }

export type PresenceChange = {
  /** What is new and goes to everybody. */
  readonly news: readonly PresenceEntry[]
  /** Tombstones for a sender whose clock is behind them. */
  readonly stale: readonly PresenceEntry[]
  readonly dropped: "too-many" | "too-large" | undefined
}

export class Presence {
  readonly #held = new Map<number, Held>()

  get size(): number {
    return this.#held.size
  }

  apply(entries: readonly PresenceEntry[], owner: PresenceOwner, nowMs: Millis): PresenceChange {
    const news: PresenceEntry[] = []
    const stale: PresenceEntry[] = []
    let dropped: PresenceChange["dropped"]
    for (const entry of entries) {
      const held = this.#held.get(entry.client)
      if (entry.state.length > limits.presenceStateBytesMax) dropped = "too-large"
      else if (held === undefined && this.#held.size >= limits.presenceClientsMax) {
        dropped = "too-many"
      } else if (isNews(entry, held?.entry)) {
        // An owner stays: a client that passes on another's state does not take it over.
        const keeps = held !== undefined && isPresenceGone(entry.state) ? held.owner : owner
        this.#held.set(entry.client, { entry, owner: keeps, atMs: nowMs })
        news.push(entry)
      } else if (held !== undefined && isPresenceGone(held.entry.state)) {
        if (!isPresenceGone(entry.state)) stale.push(held.entry)
      }
    }
    return { news, stale, dropped }
  }

  /** The owner is gone: its states become tombstones, which are returned. */
  leave(owner: PresenceOwner, nowMs: Millis): PresenceEntry[] {
    const gone: PresenceEntry[] = []
    for (const [client, held] of this.#held) {
      if (held.owner !== owner || isPresenceGone(held.entry.state)) continue
      const entry = { client, clock: held.entry.clock, state: presenceGone }
      this.#held.set(client, { entry, owner, atMs: nowMs })
      gone.push(entry)
    }
    return gone
  }

  /** Forgets what is older than the time to live; returns tombstones for live states. */
  expire(nowMs: Millis): PresenceEntry[] {
    const gone: PresenceEntry[] = []
    for (const [client, held] of this.#held) {
      if (nowMs - held.atMs < limits.presenceTtlMs) continue
      if (isPresenceGone(held.entry.state)) this.#held.delete(client)
      else {
        const entry = { client, clock: held.entry.clock, state: presenceGone }
        this.#held.set(client, { ...held, entry, atMs: nowMs })
        gone.push(entry)
      }
    }
    return gone
  }

  /** States that are there now. */
  current(): PresenceEntry[] {
    const entries: PresenceEntry[] = []
    for (const held of this.#held.values()) {
      if (!isPresenceGone(held.entry.state)) entries.push(held.entry)
    }
    return entries
  }

  /** States announced by our own connections (peers have strings for names). */
  local(): PresenceEntry[] {
    const entries: PresenceEntry[] = []
    for (const held of this.#held.values()) {
      if (typeof held.owner === "number" && !isPresenceGone(held.entry.state)) {
        entries.push(held.entry)
      }
    }
    return entries
  }
}

function isNews(entry: PresenceEntry, held: PresenceEntry | undefined): boolean {
  if (held === undefined) return !isPresenceGone(entry.state)
  if (entry.clock > held.clock) return true
  return entry.clock === held.clock && isPresenceGone(entry.state) && !isPresenceGone(held.state)
}
