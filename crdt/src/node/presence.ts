/**
 * One document's presence: the latest state of each client, never logged, forgotten when nobody
 * renews it. A higher clock wins, an equal one only if it says `null` (y-protocols' awareness
 * rule). States that are gone stay as tombstones until they age out, so that a client which comes
 * back with an old clock can be told. A state that is no JSON is nobody's: stock clients throw at
 * it, and some end. Rules [N9] [Y5] [Y6].
 */
import { DecodeError, limits, utf8Decode } from "../base/index.ts"
import type { ConnectionId, Millis, NodeId } from "../base/index.ts"
import { isPresenceGone, presenceGone } from "../protocol/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"

/** Bytes of states per document, and of a node's documents together. Past it: ignored, counted. */
export const presenceBytesMax = { document: 4 * 1024 * 1024, node: 64 * 1024 * 1024 } as const
/** Bytes of states in one frame; one state may exceed it alone. */
const frameStateBytes = 256 * 1024

/** What the presence of all documents of a node weighs. */
export type PresenceBudget = { bytes: number }

/** Who announced a state: a connection of ours, or a peer. */
export type PresenceOwner = ConnectionId | NodeId

type Held = {
  readonly entry: PresenceEntry
  readonly owner: PresenceOwner
  readonly atMs: Millis
  /** Its owner came anew, and has not said it since. */
  isDoubted: boolean
}

export type PresenceChange = {
  /** What is new and goes to everybody. */
  readonly news: readonly PresenceEntry[]
  /** Tombstones for a sender whose clock is behind them. */
  readonly stale: readonly PresenceEntry[]
  readonly dropped: PresenceFault | undefined
  readonly contested: readonly ContestedPresence[]
}

/** What a peer says is gone of a session that is there: its client is to say it anew. */
type ContestedPresence = { readonly owner: ConnectionId; readonly gone: PresenceEntry }

/** Why a state is ignored. */
export type PresenceFault = "too-many" | "too-large" | "not-json"

export class Presence {
  readonly #held = new Map<number, Held>()
  readonly #budget: PresenceBudget
  #bytes = 0

  constructor(budget: PresenceBudget) {
    this.#budget = budget
  }

  get size(): number {
    return this.#held.size
  }

  apply(entries: readonly PresenceEntry[], owner: PresenceOwner, nowMs: Millis): PresenceChange {
    const news: PresenceEntry[] = []
    const stale: PresenceEntry[] = []
    const contested: ContestedPresence[] = []
    let dropped: PresenceChange["dropped"]
    for (const entry of entries) {
      const held = this.#held.get(entry.client)
      const present = typeof owner === "string" ? presentOwner(entry, held) : undefined
      if (held !== undefined && isSame(entry, owner, held)) held.isDoubted = false
      if (present !== undefined) contested.push({ owner: present, gone: entry })
      else if (isNews(entry, held?.entry)) {
        const fault = this.#faultOf(entry, held)
        if (fault !== undefined) {
          dropped = fault
          continue
        }
        // An owner stays: a client that passes on another's state does not take it over.
        const keeps = held !== undefined && isPresenceGone(entry.state) ? held.owner : owner
        this.#hold({ entry, owner: keeps, atMs: nowMs, isDoubted: false })
        news.push(entry)
      } else if (held !== undefined && isPresenceGone(held.entry.state)) {
        if (!isPresenceGone(entry.state)) stale.push(held.entry)
      }
    }
    return { news, stale, dropped, contested }
  }

  #faultOf({ state }: PresenceEntry, held: Held | undefined): PresenceFault | undefined {
    if (state.length > limits.presenceStateBytesMax) return "too-large"
    if (held === undefined && this.#held.size >= limits.presenceClientsMax) return "too-many"
    const added = state.length - (held?.entry.state.length ?? 0)
    if (added > 0 && this.#bytes + added > presenceBytesMax.document) return "too-many"
    if (added > 0 && this.#budget.bytes + added > presenceBytesMax.node) return "too-many"
    return isJson(state) ? undefined : "not-json"
  }

  #hold(held: Held): void {
    const { client, state } = held.entry
    this.#weigh(state.length - (this.#held.get(client)?.entry.state.length ?? 0))
    this.#held.set(client, held)
  }

  #weigh(bytes: number): void {
    this.#bytes += bytes
    this.#budget.bytes += bytes
  }

  /** The owner is gone: its states become tombstones, which are returned. */
  leave(owner: PresenceOwner, nowMs: Millis): PresenceEntry[] {
    return this.#end(owner, nowMs, () => true)
  }

  /** The owner came anew: what it does not say again is of an earlier life. */
  doubt(owner: PresenceOwner): void {
    for (const held of this.#held.values()) if (held.owner === owner) held.isDoubted = true
  }

  /** What the owner did not say again becomes tombstones, which are returned. */
  endDoubt(owner: PresenceOwner, nowMs: Millis): PresenceEntry[] {
    return this.#end(owner, nowMs, ({ isDoubted }) => isDoubted)
  }

  #end(owner: PresenceOwner, nowMs: Millis, ends: (held: Held) => boolean): PresenceEntry[] {
    const gone: PresenceEntry[] = []
    for (const [client, held] of this.#held) {
      if (held.owner !== owner || isPresenceGone(held.entry.state) || !ends(held)) continue
      const entry = { client, clock: held.entry.clock, state: presenceGone }
      this.#hold({ entry, owner, atMs: nowMs, isDoubted: false })
      gone.push(entry)
    }
    return gone
  }

  /** Tombstones of states that the owner announced last. */
  goneOf(owner: PresenceOwner): PresenceEntry[] {
    const gone: PresenceEntry[] = []
    for (const held of this.#held.values()) {
      if (held.owner === owner && isPresenceGone(held.entry.state)) gone.push(held.entry)
    }
    return gone
  }

  /** Forgets what is older than the time to live; returns tombstones for live states. */
  expire(nowMs: Millis): PresenceEntry[] {
    const gone: PresenceEntry[] = []
    for (const [client, held] of this.#held) {
      if (nowMs - held.atMs < limits.presenceTtlMs) continue
      if (isPresenceGone(held.entry.state)) {
        this.#weigh(-held.entry.state.length)
        this.#held.delete(client)
      } else {
        const entry = { client, clock: held.entry.clock, state: presenceGone }
        this.#hold({ ...held, entry, atMs: nowMs })
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

  /** All that is known, of those who left lately too: for who may have missed either. */
  known(): PresenceEntry[] {
    return [...this.#held.values()].map(({ entry }) => entry)
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

/** Whether it is what is held, said again. */
function isSame(entry: PresenceEntry, owner: PresenceOwner, held: Held): boolean {
  return owner === held.owner && entry.clock === held.entry.clock && !isPresenceGone(entry.state)
}

/** Of a state that is there, if `entry` says only that the same is gone. */
function presentOwner(entry: PresenceEntry, held: Held | undefined): ConnectionId | undefined {
  if (held === undefined || typeof held.owner !== "number") return undefined
  const isSaidGone = isPresenceGone(entry.state) && !isPresenceGone(held.entry.state)
  return isSaidGone && entry.clock === held.entry.clock ? held.owner : undefined
}

function isNews(entry: PresenceEntry, held: PresenceEntry | undefined): boolean {
  if (held === undefined) return !isPresenceGone(entry.state)
  if (entry.clock > held.clock) return true
  return entry.clock === held.clock && isPresenceGone(entry.state) && !isPresenceGone(held.state)
}

/** Entries in as many frames as they need. */
export function presenceFrames(
  entries: readonly PresenceEntry[],
  encode: (entries: readonly PresenceEntry[]) => Uint8Array,
): Uint8Array[] {
  const frames: Uint8Array[] = []
  let part: PresenceEntry[] = []
  let bytes = 0
  for (const entry of entries) {
    if (part.length > 0 && bytes + entry.state.length > frameStateBytes) {
      frames.push(encode(part))
      part = []
      bytes = 0
    }
    part.push(entry)
    bytes += entry.state.length
  }
  if (part.length > 0) frames.push(encode(part))
  return frames
}

function isJson(state: Uint8Array): boolean {
  try {
    JSON.parse(utf8Decode(state))
    return true
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return false
    throw error
  }
}
