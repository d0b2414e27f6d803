/**
 * A session is one client's view of one document. Its state says what it is owed:
 * *joining*: the catch-up is being prepared, nothing live is sent; *live*: every commit is sent;
 * *lagging*: its socket is full, it is owed everything since a vector, from the log. Rule [N13].
 */
import type { ConnectionId, Millis } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { OpenDocument } from "./open-document.ts"

export type SessionState =
  | { readonly state: "joining" }
  | { readonly state: "live" }
  | { readonly state: "lagging"; readonly since: VersionVector }

export type Session = {
  readonly protocol: "native" | "y-websocket"
  readonly connection: ConnectionId
  /** The native client's number for the document; 0 for stock clients. */
  readonly channel: number
  readonly document: OpenDocument
  /** What its resume point weighs; kept until the catch-up begins. */
  readonly resumeBytes: number
  state: SessionState
  /** A join or a step 2 of this session waits for its document; at most one of each. */
  joinQueued: boolean
  step2Queued: boolean
  /** An update of this session had to wait for a predecessor, and may still. Rule [N14]. */
  hasPending: boolean
  /** When our step 1 was sent last, and whether updates wait that one since may not bring. [Y8] */
  askedMs: Millis
  isMissing: boolean
  /**
   * What the last snapshot it was sent holds: more than the node's heads say, where a log was cut
   * behind it or a state transfer is under way.
   */
  shown: VersionVector | undefined
  /** When anything was sent last; stock clients get a heartbeat when that is long ago. */
  sentMs: Millis
}

export const joining: SessionState = { state: "joining" }
export const live: SessionState = { state: "live" }

export function newSession(
  fields: Pick<Session, "protocol" | "connection" | "channel" | "document" | "resumeBytes">,
  nowMs: Millis,
): Session {
  const waiting = { joinQueued: false, step2Queued: false, hasPending: false, isMissing: false }
  const shown = undefined
  return { ...fields, ...waiting, state: joining, askedMs: nowMs, shown, sentMs: nowMs }
}

/** `held`: the node's vector. Whoever was sent a snapshot is not owed it again. */
export function lagging({ shown }: Session, held: VersionVector): SessionState {
  const since = new VersionVector(held.entries())
  if (shown !== undefined) since.raiseAll(shown)
  return { state: "lagging", since }
}
