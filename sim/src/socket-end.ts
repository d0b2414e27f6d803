/** The two ends of a simulated connection, each with the stream of frames that leaves there. */
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import type { HostId } from "./reachability.ts"

/** Who reacts at one end of a connection. Called from tasks only, never inside a call. */
export interface SocketOwner {
  onFrame(connection: ConnectionId, frame: Uint8Array): void
  /** A frame that the transport refuses to read. Who does not hear of it ignores it. */
  onBadFrame?(connection: ConnectionId, why: "too-large" | "malformed"): void
  onClosed(connection: ConnectionId, code: number): void
  onCongested?(connection: ConnectionId): void
  onDrained?(connection: ConnectionId): void
}

export type Item =
  | { readonly type: "frame"; readonly frame: Uint8Array }
  | { readonly type: "bad-frame"; readonly why: "too-large" | "malformed" }
  | { readonly type: "close"; readonly code: number }

export type End = {
  readonly id: ConnectionId
  readonly host: HostId
  /** The door of the listener, and whether this end is the dialler's. */
  readonly door: Endpoint
  readonly isDialler: boolean
  /** Its owner knows of it. */
  isKnown: boolean
  readonly owner: SocketOwner
  peer: End | undefined
  state: "open" | "closing" | "closed"
  /** The stream from here to the peer. */
  lastArrivalMs: Millis
  /** What is under way on it, in order: frames, and at its end perhaps a close. */
  readonly stream: Item[]
  /** How many of these have arrived and wait for the peer's host to read again. */
  arrived: number
  bytesUnderWay: number
  congested: boolean
  torn: boolean
  /** The peer's host will look at the stream again by itself. */
  waiting: boolean
  /** Nothing of the stream arrives before then. */
  heldUntilMs: Millis
  /** When the peer's host has taken in what it read last. */
  takenMs: Millis
  /** Gone for its owner, while something between the hosts goes on serving the peer. */
  orphaned: boolean
}

export function newEnd(
  id: ConnectionId,
  host: HostId,
  door: Endpoint,
  isDialler: boolean,
  owner: SocketOwner,
): End {
  return {
    id,
    host,
    door,
    isDialler,
    isKnown: !isDialler,
    owner,
    peer: undefined,
    state: "open",
    lastArrivalMs: 0,
    stream: [],
    arrived: 0,
    bytesUnderWay: 0,
    congested: false,
    torn: false,
    waiting: false,
    heldUntilMs: 0,
    takenMs: 0,
    orphaned: false,
  }
}
