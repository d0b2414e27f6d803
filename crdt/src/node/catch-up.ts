/**
 * Brings a session up to date and makes it live: after a join with what an engine cut out, or
 * from the log after a resume by vector or a full socket. Because a read covers exactly the
 * commits reported before it, there is neither a gap nor a window of repeats. Rules [N4] [N13].
 */
import { assert } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { bodyOf } from "../log/index.ts"
import type { LogEntry } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"
import { encodeUpdatesFrames } from "../protocol/index.ts"
import { encodeYUpdate } from "../protocol/stock/index.ts"
import type { Core } from "./core.ts"
import { factsOf } from "./delivery.ts"
import type { OpenDocument } from "./open-document.ts"
import { joining, lagging, live } from "./sessions.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"

/** The frames that bring a session up to date; shared by all that lack the same. */
export function catchUpFrames(
  session: Session,
  core: Core,
  updates: readonly Uint8Array[],
): readonly Uint8Array[] {
  if (session.protocol === "y-websocket") return updates.map(encodeYUpdate)
  const { handle } = session.document
  const resume = core.holdings.vector()
  return encodeUpdatesFrames({ type: "updates", handle, complete: true, resume, updates })
}

/** Sends what ends a catch-up; afterwards the session is live, if its socket has room. */
export function complete(
  turn: Turn,
  session: Session,
  core: Core,
  frames: readonly Uint8Array[],
): void {
  const isFull = core.congested.has(session.connection)
  session.state = isFull ? lagging(session, core.holdings.vector()) : live
  session.sentMs = turn.nowMs
  turn.multicast([session.connection], frames)
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
  core.reads.queue(turn, session, query, (later, result) => {
    if (!session.document.sessions.has(session)) return
    if (result.type === "failed") {
      onFailure(later, session, result)
      return
    }
    assert(result.type === "document", "a document read gives a document")
    const bodies = readableBodies(later, session.document, result.entries, core)
    const { snapshot } = result
    const updates = snapshot === undefined ? bodies : [snapshot.state, ...bodies]
    session.shown = snapshot?.folded ?? session.shown
    complete(later, session, core, catchUpFrames(session, core, updates))
  })
}

/** Own entries were validated before they were logged, peers' were not. */
function readableBodies(
  turn: Turn,
  document: OpenDocument,
  entries: readonly LogEntry[],
  core: Core,
): Uint8Array[] {
  const bodies: Uint8Array[] = []
  for (const { origin, record } of entries) {
    const body = bodyOf(record)
    if (origin === core.config.origin || factsOf(turn, document, body) !== undefined) {
      bodies.push(body)
    }
  }
  return bodies
}
