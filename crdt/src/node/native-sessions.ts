/**
 * The SDK's connections: hello, open, update, presence. Each connection takes exactly one update
 * number next (`nextSeq`), which is what makes resends, dedupe and go-back-N one rule.
 * Rules [N1]–[N17].
 */
import { DecodeError, limits, partsOfDocumentId } from "../base/index.ts"
import type { ClientId, ConnectionId, DocumentId, Millis } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import {
  decodeClientMessage,
  encodeDocumentClosed,
  encodeDocumentPresence,
  encodeGeneration,
  encodeOpened,
  pongFrame,
} from "../protocol/index.ts"
import type {
  ClientMessage,
  DocumentCloseCode,
  Open,
  Presence,
  PresenceEntry,
} from "../protocol/index.ts"
import { checkAnother, endIfOver, everybody, onAnotherChecked } from "./admission.ts"
import type { TokenCheck } from "./admission.ts"
import { catchUpFrames, catchUpFromLog, complete } from "./catch-up.ts"
import type { NativeConnection } from "./connections.ts"
import type { Core } from "./core.ts"
import type { TaskDone } from "./documents.ts"
import type { OpenDocument } from "./open-document.ts"
import { NativeGreeting } from "./native-greeting.ts"
import { NativeUpdates } from "./native-updates.ts"
import { presenceFrames } from "./presence.ts"
import { newSession } from "./sessions.ts"
import type { Session } from "./sessions.ts"
import type { Tiers } from "./tiers.ts"
import type { Turn } from "./turn.ts"

/**
 * Bytes of resume points of one connection's sessions that are still joining. Past it: close 4501
 * `overloaded`. Small ones are not counted: there are `channelsPerConnectionMax` at most.
 */
const resumeBytesMax = 32 * 1024 * 1024
const resumeBytesSmall = 8 * 1024

/** A summary that was not said. */
const unsaid = new Uint8Array(0)

export function nativePresence(
  { handle }: OpenDocument,
  all: readonly PresenceEntry[],
): Uint8Array[] {
  return presenceFrames(all, (entries) =>
    encodeDocumentPresence({ type: "document-presence", handle, entries }),
  )
}

export class NativeSessions {
  readonly updates: NativeUpdates
  readonly #core: Core
  readonly #tiers: Tiers
  readonly #connections = new Map<ConnectionId, NativeConnection>()
  readonly #greeting: NativeGreeting
  /** What sessions that joined by one job are sent, encoded once. */
  readonly #joinFrames = new WeakMap<TaskDone, readonly Uint8Array[]>()
  /** When connections were last closed for a cut. */
  #cutClosedMs: Millis = -Infinity

  constructor(core: Core, tiers: Tiers, freshness: () => Uint8Array) {
    this.#core = core
    this.#tiers = tiers
    this.#greeting = new NativeGreeting(core, this.#connections, freshness)
    this.updates = new NativeUpdates(core, tiers, this.#connections)
  }

  all(): Iterable<NativeConnection> {
    return this.#connections.values()
  }

  onOpened(turn: Turn, id: ConnectionId): NativeConnection {
    const connection: NativeConnection = {
      kind: "native",
      id,
      openedMs: turn.nowMs,
      heardMs: turn.nowMs,
      congestion: undefined,
      phase: { phase: "greeting" },
      admission: everybody,
      isChecking: false,
      nextToken: undefined,
      version: 0,
      isTold: false,
      repairSeq: 0,
      nextSeq: 1,
      ackedSeq: 0,
      unknown: { after: 0, before: 0 },
      watching: undefined,
      caughtUp: undefined,
      unackedBytes: 0,
      channels: new Map(),
      deleted: new Set(),
      documents: new Set(),
    }
    this.#connections.set(id, connection)
    turn.emit({ type: "session-opened", connection: id, protocol: "native" })
    return connection
  }

  onClosed(turn: Turn, connection: NativeConnection): void {
    this.#connections.delete(connection.id)
    this.#tiers.onClosed(connection.id)
    this.#core.presenceWatch.forget(connection.id)
    this.#core.watches.onClosed(this.#core, connection)
    this.#greeting.onClosed(connection)
    for (const session of connection.channels.values()) this.#leave(turn, session)
    turn.emit({ type: "session-closed", connection: connection.id, protocol: "native" })
  }

  onFrame(turn: Turn, connection: NativeConnection, frame: Uint8Array): void {
    if (endIfOver(turn, connection)) return
    connection.heardMs = turn.nowMs
    this.#core.presenceWatch.heard(turn, connection.id)
    let message: ClientMessage
    try {
      message = decodeClientMessage(frame)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      turn.refuse(connection.id, "malformed", error.message)
      return
    }
    const { phase } = connection
    if (phase.phase === "ready")
      this.#onMessage(turn, connection, phase.client, message, frame.length)
    else if (message.type === "hello" && phase.phase === "greeting") {
      this.#greeting.onHello(turn, connection, message)
    } else if (phase.phase === "greeting" || message.type !== "ping") {
      turn.refuse(connection.id, "hello-expected", `${message.type} before welcome`)
    }
  }

  #onMessage(
    turn: Turn,
    connection: NativeConnection,
    client: ClientId,
    message: ClientMessage,
    frameBytes: number,
  ): void {
    switch (message.type) {
      case "hello":
        return turn.refuse(connection.id, "malformed", "a second hello")
      case "open":
        return this.#onOpen(turn, connection, message, frameBytes)
      case "update":
        return this.updates.onUpdate(turn, connection, client, message)
      case "presence":
        return this.#onPresence(turn, connection, message)
      case "close-document":
        return this.#onCloseDocument(turn, connection, message.channel)
      case "ping":
        turn.send(connection.id, pongFrame)
        return this.#core.watches.sayCaughtUp(turn, this.#core, connection)
      case "want-tier":
        if (connection.version >= 2) return this.#tiers.onWant(turn, connection, message)
        return turn.refuse(connection.id, "malformed", "a message of version 2")
      case "watch":
        return this.#core.watches.onWatch(turn, this.#core, connection, message)
      case "token":
        if (connection.version < 5) return turn.refuse(connection.id, "malformed", "of version 5")
        if (this.#core.config.checksTokens !== true) return undefined
        return checkAnother(turn, connection, message.token)
    }
  }

  onTokenChecked(turn: Turn, id: ConnectionId, check: TokenCheck): void {
    const connection = this.#connections.get(id)
    if (connection === undefined) return
    const { phase } = connection
    if (phase.phase === "checking") this.#greeting.onChecked(turn, connection, phase, check)
    else onAnotherChecked(turn, connection, check)
  }

  /** The node's freshness changed: everybody is told. */
  sayFreshness(turn: Turn, frame: Uint8Array): void {
    const ready: ConnectionId[] = []
    for (const connection of this.#connections.values()) {
      if (connection.phase.phase === "ready") ready.push(connection.id)
    }
    turn.multicast(ready, [frame])
  }

  #onOpen(turn: Turn, connection: NativeConnection, open: Open, resumeBytes: number): void {
    const id = this.#served(connection, open)
    const fault = faultOf(connection, open, id)
    if (fault !== undefined) {
      turn.refuse(connection.id, "malformed", fault)
      return
    }
    if (id === undefined) {
      this.#closeDeleted(turn, connection, open.channel)
      return
    }
    if (connection.channels.size >= limits.channelsPerConnectionMax) {
      this.#closeDocument(turn, connection.id, open.channel, "too-many", "too many documents")
      return
    }
    if (resumeBytes > resumeBytesSmall && joiningBytes(connection) > resumeBytesMax) {
      turn.refuse(connection.id, "overloaded", "too many resume points at a time")
      return
    }
    const document = this.#core.documents.use(id)
    const { channel } = open
    if (connection.version >= 2 && open.generation === 0) {
      const { generation } = partsOfDocumentId(id)
      turn.send(connection.id, encodeGeneration({ type: "generation", channel, generation }))
    }
    const session = newSession(
      { protocol: "native", connection: connection.id, channel, document, resumeBytes },
      turn.nowMs,
    )
    if (open.resume.type === "summary") {
      try {
        document.engine.validateSummary(open.resume.summary)
      } catch {
        turn.refuse(connection.id, "malformed", "a summary does not decode")
        return
      }
    }
    connection.channels.set(open.channel, session)
    connection.caughtUp = undefined
    connection.documents.add(document.id)
    document.sessions.add(session)
    if (open.resume.type === "vector") {
      const { vector: named } = open.resume
      const vector = this.#core.cuts.cap(named)
      // A client that holds more than this node, or may do so by names that stood for something
      // else, is told what the node has, to send the rest.
      const isBehind = vector !== named || !this.#core.holdings.vector().coversAll(named)
      if (isBehind && document.frontier === undefined) {
        this.#core.documents.request(turn, document, { type: "resume", session, vector })
        return
      }
      this.#sendOpened(turn, session)
      this.#resume(turn, session, vector)
      return
    }
    const summary =
      open.resume.type === "summary" ? open.resume.summary : document.engine.emptySummary
    this.#core.documents.request(turn, document, { type: "join", session, summary })
  }

  /** A client of version 1 can't say of which generation its state is: it knows the first. [R6] */
  #served({ version }: NativeConnection, { document, generation }: Open): DocumentId | undefined {
    const { lives } = this.#core
    if (version >= 2) return lives.served(document, generation)
    return lives.current(document) === document ? document : undefined
  }

  /** A delete of the session's document became durable. Rule [R5]. */
  onDeleted(turn: Turn, session: Session): void {
    const connection = this.#connections.get(session.connection)
    if (connection === undefined) return
    connection.channels.delete(session.channel)
    this.#leave(turn, session)
    this.#closeDeleted(turn, connection, session.channel)
  }

  #closeDeleted(turn: Turn, connection: NativeConnection, channel: number): void {
    // Past the bound a client is told `document-not-open`, and comes to know by opening it.
    if (connection.deleted.size < limits.channelsPerConnectionMax) connection.deleted.add(channel)
    const message = "the document was deleted"
    this.#closeDocument(turn, connection.id, channel, "document-deleted", message)
  }

  /** Resumes by vector: an up-to-date client costs one small read, whatever the document's size. */
  #resume(turn: Turn, session: Session, since: VersionVector): void {
    catchUpFromLog(turn, session, since, this.#core, (later, failed, result) => {
      const message = result.type === "failed" ? result.message : ""
      this.#endSession(later, failed, "read-failed", message)
    })
  }

  /** The document's frontier is there, for a session that resumes by `vector`. */
  onResumable(turn: Turn, session: Session, vector: VersionVector, done: TaskDone): void {
    if (!session.document.sessions.has(session)) return
    if (done.type === "unreadable") {
      this.#endSession(turn, session, done.code, done.message)
      return
    }
    this.#sendOpened(turn, session)
    this.#resume(turn, session, vector)
  }

  #sendOpened(turn: Turn, session: Session): void {
    const { document } = session
    const held = document.frontier?.summary() ?? unsaid
    const summary = held.length <= limits.summaryBytesMax ? held : unsaid
    const { channel } = session
    const { handle } = document
    turn.send(
      session.connection,
      encodeOpened({ type: "opened", channel, handle, access: "write", summary }),
    )
    turn.multicast([session.connection], nativePresence(document, document.presence.current()))
  }

  onJoined(turn: Turn, session: Session, done: TaskDone): void {
    if (!session.document.sessions.has(session)) return
    if (done.type === "unreadable") {
      this.#endSession(turn, session, done.code, done.message)
      return
    }
    if (done.result.type !== "difference") {
      this.#endSession(turn, session, "read-failed", "the document can't be merged")
      return
    }
    this.#sendOpened(turn, session)
    let frames = this.#joinFrames.get(done)
    if (frames === undefined) {
      const { difference } = done.result
      const isNothing = difference.length === session.document.engine.empty.length
      const updates = isNothing ? done.later : [difference, ...done.later]
      frames = catchUpFrames(session, this.#core, updates)
      this.#joinFrames.set(done, frames)
    }
    complete(turn, session, this.#core, frames)
  }

  onDrained(turn: Turn, session: Session): void {
    if (session.state.state !== "lagging") return
    // Who came and who went while nothing was sent.
    const { document } = session
    turn.multicast([session.connection], nativePresence(document, document.presence.known()))
    this.#resume(turn, session, session.state.since)
  }

  #onPresence(turn: Turn, connection: NativeConnection, message: Presence): void {
    const session = connection.channels.get(message.channel)
    if (session === undefined) return
    const { document } = session
    const stale = this.#core.sharePresence(turn, document, message.entries, connection.id)
    turn.multicast([connection.id], nativePresence(document, stale))
  }

  #onCloseDocument(turn: Turn, connection: NativeConnection, channel: number): void {
    const session = connection.channels.get(channel)
    if (session === undefined) return
    connection.channels.delete(channel)
    this.#leave(turn, session)
  }

  #leave(turn: Turn, session: Session): void {
    const { document } = session
    document.sessions.delete(session)
    this.#connections.get(session.connection)?.documents.delete(document.id)
    this.#core.documents.cancel(document, session)
    const gone = document.presence.leave(session.connection, turn.nowMs)
    this.#core.broadcastPresence(turn, document, gone, session.connection)
  }

  #endSession(turn: Turn, session: Session, code: DocumentCloseCode, message: string): void {
    this.#connections.get(session.connection)?.channels.delete(session.channel)
    this.#leave(turn, session)
    this.#closeDocument(turn, session.connection, session.channel, code, message)
  }

  #closeDocument(
    turn: Turn,
    connection: ConnectionId,
    channel: number,
    code: DocumentCloseCode,
    message: string,
  ): void {
    turn.send(connection, encodeDocumentClosed({ type: "document-closed", channel, code, message }))
  }

  /**
   * A cut was learnt: what clients said they have when they came may be what gave way, so they come
   * again. Not for each that a peer may make up, but once in a while. Rule [X5].
   */
  closeForCuts(turn: Turn): void {
    if (turn.nowMs < this.#cutClosedMs + limits.reopenPauseMs) return
    if (!this.#core.cuts.takeNews()) return
    if (this.#connections.size === 0) return
    this.#cutClosedMs = turn.nowMs
    for (const id of this.#connections.keys()) turn.close(id, "service-restart")
  }

  /** Closes those that never greeted or fell silent. Rules [N1] [N11]. */
  sweep(turn: Turn): void {
    this.closeForCuts(turn)
    for (const connection of this.#connections.values()) {
      if (endIfOver(turn, connection)) continue
      const isGreeting = !("client" in connection.phase)
      if (isGreeting && turn.nowMs - connection.openedMs > limits.helloMs) {
        // Retryable: a slow path or a clock that leapt may be to blame, not the client.
        turn.refuse(connection.id, "silent", "no hello in time")
      } else if (turn.nowMs - connection.heardMs > limits.clientSilentMs) {
        turn.refuse(connection.id, "silent", "no ping in time")
      }
    }
  }
}

/** How it breaks the protocol, if it does; `id`: what would be opened. */
function faultOf(
  { version, channels, documents }: NativeConnection,
  { channel, generation }: Open,
  id: DocumentId | undefined,
): string | undefined {
  if (channels.has(channel)) return "a channel was opened twice"
  if (version < 2 && generation > 0) return "a field of version 2"
  // Or one client could have each update sent to it ten thousand times.
  if (id !== undefined && documents.has(id)) return "a document was opened twice"
  return undefined
}

function joiningBytes(connection: NativeConnection): number {
  let bytes = 0
  for (const { state, resumeBytes } of connection.channels.values()) {
    if (state.state === "joining") bytes += resumeBytes
  }
  return bytes
}
