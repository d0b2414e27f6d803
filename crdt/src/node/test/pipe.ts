/** One connection of the harness, and what stands at its ends. */
import type { ConnectionId } from "../../base/index.ts"
import type { CloseReason } from "../../protocol/index.ts"

/** What stands at an end of a connection. */
export interface End {
  onFrame(frame: Uint8Array): void
  onClosed(reason: CloseReason | undefined): void
}

/** One connection: frames wait in `to`, by the side they go to, until they are delivered. */
export class Pipe {
  readonly id: ConnectionId
  readonly ends: readonly [End, End]
  readonly to: readonly [Uint8Array[], Uint8Array[]] = [[], []]
  /** Frames vanish, and nobody hears that they do. */
  isFrozen = false
  /** Set once a side closed: the other still gets what was sent before. */
  closing: { readonly reason: CloseReason | undefined } | undefined
  isOver = false

  constructor(id: ConnectionId, ends: readonly [End, End]) {
    this.id = id
    this.ends = ends
  }
}
