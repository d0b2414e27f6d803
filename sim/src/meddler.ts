/**
 * What a fault may do to the frames of a connection without breaking it: a WebSocket is an ordered
 * stream, so this stands for a sender that says a thing twice, or two things the other way round,
 * where the protocol claims to survive it. Which messages those are is the fault's business.
 */
import type { Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"

export interface Meddler {
  /** When a frame is sent once more on its connection; undefined: it is not. */
  repeatAfterMs?(door: Endpoint, fromDialler: boolean, frame: Uint8Array): Millis | undefined
  /** Whether a frame may arrive before the one that was sent just before it. */
  overtakes?(door: Endpoint, frame: Uint8Array, before: Uint8Array): boolean
}
