/**
 * Presence of one document, in the shape editor bindings know from y-protocols' Awareness, and
 * the same on the wire: a state is JSON per client number, so stock clients on the document see
 * it. The local state is null until it is set.
 */
import { limits } from "@causeway/crdt/base"
import type { PresenceEntry } from "@causeway/crdt/protocol"
import { guarded, Listeners } from "./observable.ts"

export type PresenceState = { readonly [key: string]: unknown }

export type PresenceChange = {
  readonly added: number[]
  readonly updated: number[]
  readonly removed: number[]
}

type Handler = (change: PresenceChange, origin: "local" | "remote") => void
/** `change`: something differs; `update`: the same here, where repeats never arrive. */
type PresenceEvent = "change" | "update"

export class Presence {
  readonly #send: (state: Uint8Array) => void
  readonly #states = new Map<number, PresenceState>()
  readonly #handlers = { change: new Set<Handler>(), update: new Set<Handler>() }
  readonly #listeners = new Listeners<ReadonlyMap<number, PresenceState>>()
  readonly #clientOf: () => number

  /** @internal `clientOf` gives this client's number in the document. */
  constructor(clientOf: () => number, send: (state: Uint8Array) => void) {
    this.#clientOf = clientOf
    this.#send = send
  }

  get clientID(): number {
    return this.#clientOf()
  }

  /** Where y-protocols has the Y.Doc, of which bindings want the number alone. */
  get doc(): { readonly clientID: number } {
    return { clientID: this.clientID }
  }

  /** Everybody's state by client number, this client's too. */
  get current(): ReadonlyMap<number, PresenceState> {
    return this.#states
  }

  get states(): ReadonlyMap<number, PresenceState> {
    return this.#states
  }

  getStates(): Map<number, PresenceState> {
    return this.#states
  }

  getLocalState(): PresenceState | null {
    return this.#states.get(this.clientID) ?? null
  }

  /**
   * Sets this client's state; null leaves.
   * @throws TypeError if it is no JSON or over 16 KiB of it.
   */
  setLocalState(state: PresenceState | null): void {
    const client = this.clientID
    const bytes = bytesOf(state)
    if (state !== null && stateOf(bytes) === undefined) {
      throw new TypeError("a presence state is a JSON object or null")
    }
    if (bytes.length > limits.presenceStateBytesMax) {
      throw new TypeError(`a presence state is at most ${limits.presenceStateBytesMax} bytes`)
    }
    const change: PresenceChange = { added: [], updated: [], removed: [] }
    this.#take(client, state ?? undefined, change)
    this.#send(bytes)
    this.#tell(change, "local")
  }

  setLocalStateField(field: string, value: unknown): void {
    this.setLocalState({ ...this.getLocalState(), [field]: value })
  }

  /** Says the local state once more, to a document that was opened after it was set. */
  announce(): void {
    const state = this.getLocalState()
    if (state !== null) this.#send(bytesOf(state))
  }

  subscribe(listener: (states: ReadonlyMap<number, PresenceState>) => void): () => void {
    return this.#listeners.add(listener)
  }

  on(event: PresenceEvent, handler: Handler): void {
    this.#handlers[event].add(handler)
  }

  off(event: PresenceEvent, handler: Handler): void {
    this.#handlers[event].delete(handler)
  }

  /** @internal Takes what others say; a state that is no JSON object is as good as none. */
  receive(entries: readonly PresenceEntry[]): void {
    const change: PresenceChange = { added: [], updated: [], removed: [] }
    for (const { client, state } of entries) this.#take(client, stateOf(state), change)
    this.#tell(change, "remote")
  }

  #take(client: number, state: PresenceState | undefined, change: PresenceChange): void {
    const known = this.#states.has(client)
    if (state !== undefined) {
      this.#states.set(client, state)
      change[known ? "updated" : "added"].push(client)
    } else if (this.#states.delete(client)) change.removed.push(client)
  }

  #tell(change: PresenceChange, origin: "local" | "remote"): void {
    if (change.added.length + change.updated.length + change.removed.length === 0) return
    const everyone = [...this.#handlers.change, ...this.#handlers.update]
    for (const handler of everyone) guarded(() => handler(change, origin))
    this.#listeners.call(this.#states)
  }
}

function bytesOf(state: PresenceState | null): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(state))
}

function stateOf(bytes: Uint8Array): PresenceState | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
    // cast: an object of JSON has strings for keys.
    return value as PresenceState
  } catch {
    return undefined
  }
}
