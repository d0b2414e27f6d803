/**
 * The transport's own bounds; those of the protocol are in crdt's base/limits.ts. What happens
 * past each stands beside it.
 */
import { limits } from "@causeway/crdt/base"

const KiB = 1024
const MiB = 1024 * KiB

export type TransportLimits = { readonly [Name in keyof typeof transportLimits]: number }

export const transportLimits = {
  /** WebSockets at a time. Past it: HTTP 503 to the upgrade. */
  connectionsMax: 20_000,
  /** Sockets of plain HTTP requests beside those. Past it: closed at once. */
  httpSocketsMax: 256,
  /**
   * A request's target and headers together. Room for names far over their limit, which then are
   * refused as names (close 4404); past it: HTTP 431, and the socket is closed.
   */
  headerBytesMax: 64 * KiB,
  /** A request's headers must be there within this time; then Node answers 408. */
  headersMs: 10_000,
  requestMs: 30_000,
  /** An HTTP socket on which nothing moves for this long is cut off; WebSockets are pinged. */
  httpSilentMs: 60_000,
  /**
   * Bytes, or writes, that wait in a socket after a pass. Past either: input `congested`. Writes
   * count because a small one pins more memory than its bytes. `drained` follows when none is
   * left: the kernel's own send buffer keeps the line busy meanwhile.
   */
  congestedBytes: 1 * MiB,
  congestedWrites: 2048,
  /**
   * What a socket may hold when more is to be written. Past it: close 4502. One write may exceed
   * it, so that a document of any size can be joined.
   */
  waitingBytesMax: 16 * MiB,
  waitingWritesMax: 16_384,
  /** Every socket is pinged this often; one that said nothing since the last ping is cut off. */
  pingMs: 30_000,
  /** From our close frame to the end of the socket, whatever the peer does. */
  closeMs: 2000,
} as const

/** How every socket of ours is set up. (`closeTimeout` is missing from ws's types.) */
export const socketOptions = {
  perMessageDeflate: false,
  maxPayload: limits.frameBytesMax,
  closeTimeout: transportLimits.closeMs,
} as const
