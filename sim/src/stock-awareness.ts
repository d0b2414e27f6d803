/**
 * Presence as the published y-protocols 1.x keeps it in an `Awareness`, on virtual time: a higher
 * clock wins, an equal one only if it says that the client left; the own state is renewed after
 * 15 s, others are forgotten after 30 s. What changes, whoever changed it, is said again to the
 * node, because y-websocket passes on every change. Source: y-protocols `awareness.js`.
 */
import { utf8Decode, utf8Encode } from "@causeway/crdt/base"
import type { Millis } from "@causeway/crdt/base"
import type { PresenceEntry } from "@causeway/crdt/protocol"

const OUTDATED_MS = 30_000
const GONE = "null"

type Meta = { readonly clock: number; readonly atMs: Millis }

export class StockAwareness {
  readonly client: number
  readonly #states = new Map<number, string>()
  readonly #metas = new Map<number, Meta>()

  /** A new one says `{}` with clock 0, which other stock clients overlook. */
  constructor(client: number, nowMs: Millis) {
    this.client = client
    this.#states.set(client, "{}")
    this.#metas.set(client, { clock: 0, atMs: nowMs })
  }

  /** Everybody's state by client number, as JSON; the own one too. */
  get states(): ReadonlyMap<number, string> {
    return this.#states
  }

  /** Sets the own state. Gives what has to be said. */
  set(state: string, nowMs: Millis): PresenceEntry[] {
    this.#states.set(this.client, state)
    this.#metas.set(this.client, { clock: this.#clockOf(this.client) + 1, atMs: nowMs })
    return this.#say([this.client])
  }

  /** The own entry, as a new connection starts with it. */
  own(): PresenceEntry[] {
    return this.#states.has(this.client) ? this.#say([this.client]) : []
  }

  /** What the page says as it is closed. */
  leave(nowMs: Millis): PresenceEntry[] {
    if (!this.#states.delete(this.client)) return []
    this.#metas.set(this.client, { clock: this.#clockOf(this.client) + 1, atMs: nowMs })
    return this.#say([this.client])
  }

  /** What a frame said. Gives what is said again. */
  apply(entries: readonly PresenceEntry[], nowMs: Millis): PresenceEntry[] {
    // The published one names them in this order.
    const [added, updated, removed]: [number[], number[], number[]] = [[], [], []]
    for (const { client, clock, state } of entries) {
      const json = utf8Decode(state)
      const known = this.#metas.get(client)
      const ends = json === GONE && this.#states.has(client)
      const held = this.#clockOf(client)
      if (held > clock || (held === clock && !ends)) continue
      // Nobody else can say that this client left: it says at once that it is still here.
      const contested = ends && client === this.client
      if (json !== GONE) this.#states.set(client, json)
      else if (!contested) this.#states.delete(client)
      this.#metas.set(client, { clock: contested ? clock + 1 : clock, atMs: nowMs })
      if (json !== GONE) (known === undefined ? added : updated).push(client)
      else if (known !== undefined) removed.push(client)
    }
    return this.#say([...added, ...updated, ...removed])
  }

  /** The connection is gone, and so are the others. Nothing is said: there is nobody to hear. */
  forgetOthers(): void {
    for (const client of this.#states.keys()) {
      if (client !== this.client) this.#states.delete(client)
    }
  }

  /** Every 3 s. Gives what has to be said, each in a message of its own. */
  tick(nowMs: Millis): PresenceEntry[][] {
    const own = this.#metas.get(this.client)
    const state = this.#states.get(this.client)
    const renews = own !== undefined && nowMs - own.atMs >= OUTDATED_MS / 2
    const said = state !== undefined && renews ? this.set(state, nowMs) : []
    const outdated: number[] = []
    for (const [client, { atMs }] of this.#metas) {
      if (client === this.client || nowMs - atMs < OUTDATED_MS) continue
      if (this.#states.delete(client)) outdated.push(client)
    }
    return [said, this.#say(outdated)]
  }

  #clockOf(client: number): number {
    return this.#metas.get(client)?.clock ?? 0
  }

  #say(clients: readonly number[]): PresenceEntry[] {
    return clients.map((client) => {
      const state = utf8Encode(this.#states.get(client) ?? GONE)
      return { client, clock: this.#clockOf(client), state }
    })
  }
}
