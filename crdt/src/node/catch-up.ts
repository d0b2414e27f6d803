/**
 * Brings a session up to date and makes it live: after a join with what an engine cut out, or
 * from the log after a resume by vector or a full socket. Because a read covers exactly the
 * commits reported before it, there is neither a gap nor a window of repeats. Rules [N4] [N13].
 */
import { assert } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { decodeRecord } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { encodeUpdatesFrames } from "../protocol/index.ts"
import { encodeYUpdate } from "../protocol/stock/index.ts"
import type { Core } from "./core.ts"
import { joining, live } from "./sessions.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"

/** Sends updates that end a catch-up; afterwards the session is live, if its socket has room. */
export function complete(
  turn: Turn,
  session: Session,
  core: Core,
  updates: readonly Uint8Array[],
): void {
  const resume = core.holdings.vector()
  const isFull = core.congested.has(session.connection)
  session.state = isFull ? { state: "lagging", since: resume } : live
  session.sentMs = turn.nowMs
  if (session.protocol === "y-websocket") {
    turn.multicast([session.connection], updates.map(encodeYUpdate))
    return
  }
  const { handle } = session.document
  const message = { type: "updates", handle, complete: true, resume, updates } as const
  turn.multicast([session.connection], encodeUpdatesFrames(message))
}

/** Sends what the log has of the session's document and `since` does not cover. */
export function catchUpFromLog(
  turn: Turn,
  session: Session,
  since: VersionVector,
  core: Core,
  onFailure: (turn: Turn, session: Session, result: ReadResult) => void,
): void {
  session.state = joining
  const query = { type: "document", document: session.document.id, since } as const
  core.reads.start(turn, query, (later, result) => {
    if (!session.document.sessions.has(session)) return
    if (result.type === "failed") {
      onFailure(later, session, result)
      return
    }
    assert(result.type === "document", "a document read gives a document")
    complete(
      later,
      session,
      core,
      result.entries.map((entry) => decodeRecord(entry.record).body),
    )
  })
}
