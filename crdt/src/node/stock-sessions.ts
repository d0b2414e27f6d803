/**
 * Stock y-websocket clients: one connection, one session, one Yjs document. They know no acks and
 * no rejections, so what can't be saved closes the connection; the client comes back and its
 * step 2 sends it again. Rules [Y1]–[Y8].
 */
import { bytesEqual, DecodeError, documentIdOf, limits } from "../base/index.ts"
import type { ConnectionId } from "../base/index.ts"
import type { CloseReason, PresenceEntry, RejectCode } from "../protocol/index.ts"
import {
  decodeYMessage,
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  yHeartbeatFrame,
} from "../protocol/stock/index.ts"
import type { YMessage } from "../protocol/stock/index.ts"
import { admissionOf, endIfOver, everybody, refuseToken } from "./admission.ts"
import type { Admission, TokenCheck } from "./admission.ts"
import { catchUpFrames, catchUpFromLog, complete } from "./catch-up.ts"
import type { OwnWrite } from "./commits.ts"
import type { StockConnection } from "./connections.ts"
import type { Core } from "./core.ts"
import type { TaskDone } from "./documents.ts"
import { presenceFrames } from "./presence.ts"
import { newSession } from "./sessions.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"
import { admitWrite } from "./writes.ts"

/** What closes a stock client's connection when its update is refused. */
const closeReasons: Partial<Record<RejectCode, CloseReason>> = {
  "invalid-update": "invalid-update",
  "too-large": "too-large",
  overloaded: "overloaded",
  "store-failed": "store-failed",
  "missing-predecessors": "missing-predecessors",
}

export class StockSessions {
  readonly #core: Core
  readonly #connections = new Map<ConnectionId, StockConnection>()
  /** What sessions that joined by one job are sent, encoded once. */
  readonly #joinFrames = new WeakMap<TaskDone, readonly Uint8Array[]>()

  constructor(core: Core) {
    this.#core = core
  }

  all(): Iterable<StockConnection> {
    return this.#connections.values()
  }

  onOpened(
    turn: Turn,
    id: ConnectionId,
    { room, check }: { readonly room: string | undefined; readonly check?: TokenCheck },
  ): StockConnection | undefined {
    const admission = this.#admit(turn, id, check)
    if (admission === undefined) return undefined
    const name = room === undefined ? undefined : documentIdOf("yjs", room)
    if (name === undefined) {
      turn.refuse(id, "bad-document-name", `room ${room ?? "is not UTF-8"}`)
      return undefined
    }
    // Which generation such a client's state is of it can't say: it might bring back the old one.
    if (this.#core.lives.wasDeleted(name)) {
      turn.refuse(id, "document-deleted", room ?? "")
      return undefined
    }
    const document = this.#core.documents.use(name)
    const session = newSession(
      { protocol: "y-websocket", connection: id, channel: 0, document, resumeBytes: 0 },
      turn.nowMs,
    )
    document.sessions.add(session)
    const rest = { session, admission, congestion: undefined }
    const connection: StockConnection = { kind: "y-websocket", id, ...rest }
    this.#connections.set(id, connection)
    turn.emit({ type: "session-opened", connection: id, protocol: "y-websocket" })
    return connection
  }

  /** Such a client shows its token as it connects. Rule [Y9]. */
  #admit(turn: Turn, id: ConnectionId, check: TokenCheck | undefined): Admission | undefined {
    if (this.#core.config.checksTokens !== true) return everybody
    const found = check ?? { type: "refused", reason: "no token was checked" }
    if (found.type === "valid") return admissionOf(found, turn.nowMs)
    refuseToken(turn, id, found)
    return undefined
  }

  onClosed(turn: Turn, connection: StockConnection): void {
    const { document } = connection.session
    this.#connections.delete(connection.id)
    document.sessions.delete(connection.session)
    this.#core.documents.cancel(document, connection.session)
    const gone = document.presence.leave(connection.id, turn.nowMs)
    this.#core.broadcastPresence(turn, document, gone, connection.id)
    turn.emit({ type: "session-closed", connection: connection.id, protocol: "y-websocket" })
  }

  onFrame(turn: Turn, connection: StockConnection, frame: Uint8Array): void {
    if (endIfOver(turn, connection)) return
    let message: YMessage
    try {
      message = decodeYMessage(frame)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      turn.refuse(connection.id, "malformed", error.message)
      return
    }
    const { session } = connection
    switch (message.type) {
      case "step1":
        return this.#onStep1(turn, session, message.summary)
      case "step2":
        return this.#onStep2(turn, session, message.update)
      case "update":
        return this.#onUpdate(turn, session, message.update)
      case "awareness":
        return this.#onAwareness(turn, session, message.entries)
      case "query-awareness":
        return this.#sendPresence(turn, session, session.document.presence.current())
    }
  }

  #onStep1(turn: Turn, session: Session, summary: Uint8Array): void {
    const { document } = session
    try {
      document.engine.validateSummary(summary)
    } catch {
      turn.refuse(session.connection, "malformed", "a state vector does not decode")
      return
    }
    if (session.joinQueued) return
    session.joinQueued = true
    this.#core.documents.request(turn, document, { type: "join", session, summary })
  }

  onJoined(turn: Turn, session: Session, done: TaskDone): void {
    session.joinQueued = false
    if (!session.document.sessions.has(session)) return
    if (done.type === "unreadable" || done.result.type !== "difference") {
      turn.close(session.connection, "read-failed")
      return
    }
    const { document } = session
    const wasLive = session.state.state === "live"
    let frames = this.#joinFrames.get(done)
    if (frames === undefined) {
      const later = catchUpFrames(session, this.#core, done.later)
      frames = [encodeYStep2(done.result.difference), ...later]
      this.#joinFrames.set(done, frames)
    }
    if (wasLive) turn.multicast([session.connection], frames.slice(0, 1))
    else complete(turn, session, this.#core, frames)
    this.#askForMissing(turn, session)
    if (!wasLive) this.#sendPresence(turn, session, document.presence.current())
  }

  /** Our step 1: the client answers with what we lack. Rules [Y3] [Y8]. */
  #askForMissing(turn: Turn, session: Session): void {
    const summary = session.document.frontier?.summary()
    if (summary === undefined) return
    session.askedMs = turn.nowMs
    session.isMissing = false
    turn.send(session.connection, encodeYStep1(summary))
  }

  #onStep2(turn: Turn, session: Session, update: Uint8Array): void {
    const { document } = session
    if (bytesEqual(update, document.engine.empty)) return
    // Queued work keeps a copy, so it is one per session and within the size limit.
    if (session.step2Queued || update.length > limits.updateBytesMax) {
      this.#onUpdate(turn, session, update)
    } else {
      session.step2Queued = true
      const task = { type: "step2", session, update: update.slice() } as const
      this.#core.documents.request(turn, document, task)
    }
  }

  /** Rule [Y4]: what brings nothing new is not logged; what can't be judged is. */
  onStep2Judged(turn: Turn, session: Session, update: Uint8Array, done: TaskDone): void {
    session.step2Queued = false
    if (!session.document.sessions.has(session)) return
    const isKnown = done.type === "done" && done.result.type === "includes" && done.result.includes
    if (!isKnown) this.#onUpdate(turn, session, update)
  }

  #onUpdate(turn: Turn, session: Session, update: Uint8Array): void {
    const { document, connection } = session
    if (bytesEqual(update, document.engine.empty)) return
    const verdict = admitWrite(turn, this.#core.commits, { session, author: undefined, update })
    if (verdict.accepted) {
      this.#core.documents.wantFrontier(turn, document)
      return
    }
    turn.emit({ type: "update-rejected", connection, code: verdict.code })
    turn.refuse(connection, closeReasons[verdict.code] ?? "malformed", verdict.message)
  }

  /** A commit holds an update of this session whose predecessors are missing. Rule [Y8]. */
  onPending(turn: Turn, session: Session): void {
    session.isMissing = true
    this.#askAgain(turn, session)
  }

  /** Not while the last answer may be on its way: each brings all that is missing. */
  #askAgain(turn: Turn, session: Session): void {
    if (!session.isMissing || turn.nowMs - session.askedMs < limits.sweepMs) return
    if ((session.document.frontier?.pendingBytes ?? 0) > 0) this.#askForMissing(turn, session)
    else session.isMissing = false
  }

  /** These writes were lost: their clients are to come back and send them again. */
  onFailed(turn: Turn, own: readonly OwnWrite[]): void {
    const told = new Set<ConnectionId>()
    for (const { connection } of own) {
      if (!this.#connections.has(connection) || told.has(connection)) continue
      told.add(connection)
      turn.emit({ type: "update-rejected", connection, code: "store-failed" })
      turn.close(connection, "store-failed")
    }
  }

  #onAwareness(turn: Turn, session: Session, entries: readonly PresenceEntry[]): void {
    const { document, connection } = session
    const stale = this.#core.sharePresence(turn, document, entries, connection)
    this.#sendPresence(turn, session, stale)
  }

  #sendPresence(turn: Turn, session: Session, entries: readonly PresenceEntry[]): void {
    if (entries.length === 0) return
    session.sentMs = turn.nowMs
    turn.multicast([session.connection], presenceFrames(entries, encodeYAwareness))
  }

  onDrained(turn: Turn, session: Session): void {
    if (session.state.state !== "lagging") return
    this.#sendPresence(turn, session, session.document.presence.known())
    catchUpFromLog(turn, session, session.state.since, this.#core, (later, failed) => {
      later.close(failed.connection, "read-failed")
    })
  }

  /** Data for clients that got none for a while: their watchdogs ignore WebSocket pings. [Y5] */
  sweep(turn: Turn): void {
    const quiet: ConnectionId[] = []
    for (const connection of this.#connections.values()) {
      if (endIfOver(turn, connection)) continue
      const { session, congestion } = connection
      this.#askAgain(turn, session)
      if (congestion !== undefined || turn.nowMs - session.sentMs < limits.stockHeartbeatMs)
        continue
      session.sentMs = turn.nowMs
      quiet.push(session.connection)
    }
    turn.multicast(quiet, [yHeartbeatFrame])
  }
}
