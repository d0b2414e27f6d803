/**
 * One call of `step`: the time, and the list its effects go to. Everything a core does passes
 * through here, so effects keep their causal order.
 */
import type { ConnectionId, Millis } from "../base/index.ts"
import type { CloseReason } from "../protocol/index.ts"
import type { Effect, NodeEvent } from "./effect.ts"

export class Turn {
  readonly nowMs: Millis
  readonly #effects: Effect[]
  /** Connections closed in this turn: they are sent nothing, and forgotten at its end. */
  readonly closed = new Set<ConnectionId>()

  constructor(nowMs: Millis, effects: Effect[]) {
    this.nowMs = nowMs
    this.#effects = effects
  }

  push(effect: Effect): void {
    this.#effects.push(effect)
  }

  send(connection: ConnectionId, ...frames: Uint8Array[]): void {
    if (this.closed.has(connection)) return
    this.#effects.push({ type: "send", to: [connection], frames })
  }

  multicast(to: readonly ConnectionId[], frames: readonly Uint8Array[]): void {
    const open = this.closed.size === 0 ? to : to.filter((id) => !this.closed.has(id))
    if (open.length > 0 && frames.length > 0) this.#effects.push({ type: "send", to: open, frames })
  }

  /** Closes for a fault of the other side's, and says so. */
  refuse(connection: ConnectionId, reason: CloseReason, detail: string): void {
    if (this.closed.has(connection)) return
    this.emit({ type: "connection-refused", connection, reason, detail })
    this.close(connection, reason)
  }

  close(connection: ConnectionId, reason: CloseReason): void {
    if (this.closed.has(connection)) return
    this.closed.add(connection)
    this.#effects.push({ type: "close", connection, reason })
  }

  emit(event: NodeEvent): void {
    this.#effects.push({ type: "emit", event })
  }
}
