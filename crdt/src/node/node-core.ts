/**
 * The node core: one state machine, one `step`. It routes inputs to sessions, documents, commits
 * and links, and closes the circle at a commit: what became durable is shown to sessions, acked
 * to writers and pushed to peers, in that order. No I/O, no clock, no randomness of its own.
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, Millis, NodeId } from "../base/index.ts"
import type { AppendResult, ReopenDoubt } from "../ports/index.ts"
import { encodeFreshness } from "../protocol/index.ts"
import { Commits, ownRecords } from "./commits.ts"
import type { Batch } from "./commits.ts"
import { Compaction } from "./compaction.ts"
import type { NodeConfig } from "./config.ts"
import type { ClientConnection } from "./connections.ts"
import type { Core } from "./core.ts"
import { Cuts } from "./cuts.ts"
import { deliver, durableUpdates } from "./delivery.ts"
import { Dials } from "./dials.ts"
import { answerRead, createDocument, deleteDocument } from "./deletions.ts"
import { endDeleted, readDocument } from "./deletions.ts"
import { Documents } from "./documents.ts"
import type { TaskDone } from "./documents.ts"
import type { Effect } from "./effect.ts"
import { Holdings } from "./holdings.ts"
import type { Command, Endpoint, Input } from "./input.ts"
import { Jobs } from "./jobs.ts"
import { Links } from "./links.ts"
import { Lives } from "./lives.ts"
import { Members } from "./members.ts"
import { NativeSessions } from "./native-sessions.ts"
import type { OpenDocument, Task } from "./open-document.ts"
import { PresenceRelay } from "./presence-relay.ts"
import { Reads } from "./reads.ts"
import { lagging } from "./sessions.ts"
import type { Session } from "./sessions.ts"
import { nodeStatus, peerFreshness } from "./status.ts"
import type { NodeStatus } from "./status.ts"
import { StockSessions } from "./stock-sessions.ts"
import { Tiers } from "./tiers.ts"
import type { TransferHooks } from "./transfer-in.ts"
import { Turn } from "./turn.ts"
import { Watches } from "./watches.ts"

export class NodeCore {
  readonly #core: Core
  readonly #native: NativeSessions
  readonly #stock: StockSessions
  readonly #links: Links
  readonly #tiers: Tiers
  readonly #compaction: Compaction
  readonly #presence: PresenceRelay
  readonly #clients = new Map<ConnectionId, ClientConnection>()
  #sweepAtMs: Millis
  #freshnessSaid = ""
  #isStopping = false
  /** Why this core ends, if not because it was told to. */
  #doubt: ReopenDoubt | undefined
  /** It said `reopen`, and says nothing after that. */
  #isOver = false

  constructor(config: NodeConfig, nowMs: Millis) {
    const jobs = new Jobs()
    const reads = new Reads((turn) => this.#reopen(turn, { why: "corrupt" }))
    const holdings = new Holdings(config.heads)
    const dials = new Dials(config.peers, config.random, nowMs)
    this.#presence = new PresenceRelay({
      clientOf: (connection) => this.#clients.get(connection),
      linkTo: (node) => this.#links.linkedTo(node),
      links: () => this.#links.all(),
      documents: () => this.#core.documents.all(),
      wake: (turn, document, connection) => {
        this.#core.watches.wake(turn, [{ document, connection }])
      },
    })
    this.#core = {
      config,
      members: new Members(config.origin, holdings, dials, config.clusterRecords ?? []),
      cuts: new Cuts(config.cuts ?? [], config.clusterRecords ?? []),
      lives: new Lives(config.clusterRecords ?? []),
      reads,
      jobs,
      mayReopen: (turn, why) => this.#mayReopen(turn, why),
      reopen: (turn, doubt) => this.#reopen(turn, doubt),
      congested: new Set(),
      holdings,
      commits: new Commits(),
      documents: new Documents(config.engines, reads, jobs, (turn, document, task, done) => {
        this.#onTaskDone(turn, document, task, done)
      }),
      presenceWatch: this.#presence.watch,
      watches: new Watches(),
      sharePresence: (turn, document, entries, owner) =>
        this.#presence.share(turn, document, entries, owner),
      broadcastPresence: (turn, document, entries, owner) => {
        this.#presence.broadcast(turn, document, entries, owner)
      },
    }
    const show: TransferHooks["show"] = (turn, document, bodies) => {
      const rest = { document, facts: undefined, dot: undefined, connection: undefined }
      deliver(
        turn,
        this.#core.documents,
        bodies.map((body) => ({ ...rest, body })),
      )
      this.#core.watches.wake(turn, [{ document }])
    }
    this.#links = new Links(this.#core, dials, show, nowMs)
    const heldBy = (node: NodeId) => this.#links.linkedTo(node)?.heads
    this.#compaction = new Compaction(this.#core, heldBy, config.compaction)
    this.#tiers = new Tiers(this.#core, this.#links, nowMs)
    this.#native = new NativeSessions(this.#core, this.#tiers, () => this.#freshness())
    this.#stock = new StockSessions(this.#core)
    this.#sweepAtMs = nowMs + limits.sweepMs
  }

  /** Takes one input in and pushes what follows from it, in causal order. Never throws on bytes. */
  step(input: Input, nowMs: Millis, effects: Effect[]): void {
    if (this.#isOver) return
    const turn = new Turn(nowMs, effects)
    this.#on(turn, input)
    if (this.#isOver) return
    this.#core.commits.pump(turn)
    for (const connection of turn.closed) this.#onClosed(turn, connection)
  }

  #on(turn: Turn, input: Input): void {
    switch (input.type) {
      case "opened":
        return this.#onOpened(turn, input.connection, input.endpoint)
      case "closed":
        return this.#onClosed(turn, input.connection, input.code)
      case "frame":
        return this.#onFrame(turn, input.connection, input.frame)
      case "bad-frame":
        return this.#onBadFrame(turn, input.connection, input.why)
      case "congested":
        return this.#onCongested(turn, input.connection)
      case "drained":
        return this.#onDrained(turn, input.connection)
      case "dial-failed":
        return this.#links.dials.failed(this.#links.dials.find(input.address), turn.nowMs, 0)
      case "committed":
        return this.#onCommitted(turn, input.batch, input.result)
      case "read-done":
        return this.#core.reads.onDone(turn, input.read, input.result)
      case "job-done":
        return this.#core.jobs.onDone(turn, input.job, input.result)
      case "token-checked":
        return this.#native.onTokenChecked(turn, input.connection, input.check)
      case "command":
        return this.#onCommand(turn, input.command, input.request)
      case "deadline":
        return this.#onDeadline(turn)
      case "stop":
        return this.#onStop(turn)
    }
  }

  #onBadFrame(turn: Turn, connection: ConnectionId, why: "too-large" | "malformed"): void {
    const isKnown = this.#clients.has(connection) || this.#links.find(connection) !== undefined
    if (isKnown) turn.refuse(connection, why, "refused by the transport")
  }

  #onOpened(turn: Turn, connection: ConnectionId, endpoint: Endpoint): void {
    if (this.#isStopping) return turn.close(connection, "service-restart")
    switch (endpoint.type) {
      case "native":
        this.#clients.set(connection, this.#native.onOpened(turn, connection))
        return undefined
      case "y-websocket": {
        const client = this.#stock.onOpened(turn, connection, endpoint)
        if (client !== undefined) this.#clients.set(connection, client)
        return undefined
      }
      case "link-accepted":
        return this.#links.onOpened(turn, connection, undefined)
      case "link-dialled":
        return this.#links.onOpened(turn, connection, endpoint.address)
    }
  }

  #onClosed(turn: Turn, connection: ConnectionId, code?: number): void {
    const client = this.#clients.get(connection)
    const link = this.#links.find(connection)
    this.#clients.delete(connection)
    this.#core.congested.delete(connection)
    if (client?.kind === "native") this.#native.onClosed(turn, client)
    else if (client !== undefined) this.#stock.onClosed(turn, client)
    else if (link !== undefined) this.#links.onClosed(turn, link, code)
    this.#core.documents.forgetIdle()
  }

  #onFrame(turn: Turn, connection: ConnectionId, frame: Uint8Array): void {
    const client = this.#clients.get(connection)
    const link = this.#links.find(connection)
    if (client === undefined && link === undefined) return
    if (frame.length > limits.frameBytesMax) {
      turn.refuse(connection, "too-large", `a frame of ${frame.length} bytes`)
    } else if (this.#isStopping) return
    else if (link !== undefined) {
      this.#links.onFrame(turn, link, frame)
      this.#tiers.onLinkFrame(turn, frame)
    } else if (client?.kind === "native") this.#native.onFrame(turn, client, frame)
    else if (client !== undefined) this.#stock.onFrame(turn, client, frame)
  }

  /** Nothing live is sent to a full socket: its sessions are owed what follows from here. */
  #onCongested(turn: Turn, connection: ConnectionId): void {
    const link = this.#links.find(connection)
    if (link !== undefined) link.isCongested = true
    const client = this.#clients.get(connection)
    if (client === undefined || client.congestion !== undefined) return
    const held = this.#core.holdings.vector()
    client.congestion = { sinceMs: turn.nowMs }
    this.#core.congested.add(connection)
    for (const session of sessionsOf(client)) {
      if (session.state.state === "live") session.state = lagging(session, held)
    }
  }

  #onDrained(turn: Turn, connection: ConnectionId): void {
    const link = this.#links.find(connection)
    if (link !== undefined) {
      link.isCongested = false
      this.#links.push.pump(turn, link)
    }
    const client = this.#clients.get(connection)
    if (client === undefined) return
    client.congestion = undefined
    this.#core.congested.delete(connection)
    for (const session of sessionsOf(client)) {
      if (client.kind === "native") this.#native.onDrained(turn, session)
      else this.#stock.onDrained(turn, session)
    }
  }

  #onCommitted(turn: Turn, id: number, result: AppendResult): void {
    const { commits, holdings, config } = this.#core
    const outcome = commits.onCommitted(turn, id, result)
    if (outcome.type === "failed") {
      this.#onFailed(turn, outcome.lost, result)
      return
    }
    const { batch, firstSeq } = outcome
    const previousHash = holdings.head(config.origin).hash
    if (result.ok) holdings.raise(result.heads)
    const updates = durableUpdates(this.#core, batch, firstSeq)
    // Before anything is shown: of what is deleted nobody is sent any more.
    this.#endDeleted(turn)
    const pending = deliver(turn, this.#core.documents, updates)
    this.#core.watches.wake(turn, updates)
    this.#links.partitions.onDurable(turn, updates)
    this.#compaction.onDurable(turn, updates)
    this.#compaction.onRaised(batch.maintenance?.work.raise ?? [])
    for (const [document, writers] of pending) this.#onPending(turn, document, writers)
    this.#native.updates.onCommitted(turn, batch.own, firstSeq)
    this.#links.membership.onDurable(turn)
    this.#links.push.onOwnCommitted(turn, firstSeq, previousHash, ownRecords(batch))
    this.#links.pull.settle(turn)
    const hasRaised = (batch.maintenance?.work.raise ?? []).length > 0
    if (batch.adopted.length > 0 || hasRaised) this.#links.vectors.tellSoon(turn)
    this.#tiers.onCommitted(turn, batch.adopted.length + batch.cluster.length > 0)
    batch.maintenance?.done(turn, result)
    this.#endDeleted(turn)
    this.#native.closeForCuts(turn)
    for (const afterwards of batch.afterwards) afterwards(turn)
  }

  #endDeleted(turn: Turn): void {
    const deleted = endDeleted(turn, this.#core, this.#native)
    if (deleted.length === 0) return
    const news = deleted.map((document) => ({ document }))
    this.#core.watches.wake(turn, news)
    this.#compaction.onDeleted(turn, deleted)
    this.#links.digests.onDeleted(deleted)
  }

  #onPending(turn: Turn, document: OpenDocument, writers: ReadonlySet<ConnectionId>): void {
    for (const session of document.sessions) {
      const { connection } = session
      if (!writers.has(connection)) continue
      session.hasPending = true
      turn.emit({ type: "update-pending", connection, document: document.id })
      if (session.protocol === "y-websocket") this.#stock.onPending(turn, session)
    }
  }

  #onFailed(turn: Turn, lost: readonly Batch[], result: AppendResult): void {
    const own = lost.flatMap((batch) => batch.own)
    this.#native.updates.onFailed(turn, own, "store-failed")
    this.#stock.onFailed(turn, own)
    this.#links.pull.forgetAdopting()
    for (const { maintenance, afterwards } of lost) {
      maintenance?.done(turn, result)
      for (const callback of afterwards) callback(turn)
    }
  }

  #onTaskDone(turn: Turn, document: OpenDocument, task: Task, done: TaskDone): void {
    switch (task.type) {
      case "join":
        if (task.session.protocol === "native") this.#native.onJoined(turn, task.session, done)
        else this.#stock.onJoined(turn, task.session, done)
        return undefined
      case "resume":
        return this.#native.onResumable(turn, task.session, task.vector, done)
      case "step2":
        return this.#stock.onStep2Judged(turn, task.session, task.update, done)
      case "json":
        return answerRead(turn, this.#core, task.command, document.id, done)
      case "frontier":
        return undefined
    }
  }

  #onCommand(turn: Turn, command: number, request: Command): void {
    switch (request.type) {
      case "retire":
        return this.#links.membership.retire(turn, command, request.node)
      case "delete-document":
        return deleteDocument(turn, this.#core, command, request.document)
      case "create-document":
        return createDocument(turn, this.#core, command, request.document)
      case "read-document":
        return readDocument(turn, this.#core, command, request.document)
    }
  }

  #onDeadline(turn: Turn): void {
    if (this.#isStopping) return
    this.#links.onDeadline(turn)
    this.#presence.watch.onDeadline(turn)
    if (turn.nowMs < this.#sweepAtMs) return
    this.#sweepAtMs = turn.nowMs + limits.sweepMs
    this.#native.sweep(turn)
    this.#stock.sweep(turn)
    this.#links.sweep(turn)
    this.#compaction.sweep(turn)
    this.#tiers.sweep(turn)
    for (const client of this.#clients.values()) {
      const { congestion } = client
      if (congestion !== undefined && turn.nowMs - congestion.sinceMs > limits.congestedMs) {
        turn.refuse(client.id, "too-slow", "its socket took nothing for too long")
      }
    }
    for (const document of this.#core.documents.all()) {
      const gone = document.presence.expire(turn.nowMs)
      this.#presence.broadcast(turn, document, gone, this.#core.config.node)
    }
    this.#sayFreshness(turn)
  }

  #sayFreshness(turn: Turn): void {
    const peers = peerFreshness(this.#links, this.#core.holdings)
    const said = JSON.stringify(peers)
    if (said === this.#freshnessSaid) return
    this.#freshnessSaid = said
    this.#native.sayFreshness(turn, encodeFreshness({ type: "freshness", peers }))
  }

  /** For a client that comes now. If it is not what all were told last, all are with the sweep. */
  #freshness(): Uint8Array {
    const peers = peerFreshness(this.#links, this.#core.holdings)
    if (JSON.stringify(peers) !== this.#freshnessSaid) this.#freshnessSaid = ""
    return encodeFreshness({ type: "freshness", peers })
  }

  #onStop(turn: Turn): void {
    // Told to stop while it ends for a doubt: then there is nothing to be opened anew.
    this.#doubt = undefined
    if (!this.#isStopping) this.#end(turn)
  }

  #mayReopen(turn: Turn, why: ReopenDoubt["why"]): boolean {
    const fromMs = this.#core.config.reopenFromMs?.[why] ?? -Infinity
    return !this.#isStopping && turn.nowMs >= fromMs
  }

  #reopen(turn: Turn, doubt: ReopenDoubt): void {
    if (!this.#mayReopen(turn, doubt.why)) return
    this.#doubt = doubt
    turn.emit({ type: "store-in-doubt", why: doubt.why })
    this.#end(turn)
  }

  /** What was accepted becomes durable first; what comes now is somebody's to send again. */
  #end(turn: Turn): void {
    this.#isStopping = true
    this.#compaction.stop()
    this.#core.commits.dropLater()
    this.#core.commits.afterwards(turn, (settled) => {
      this.#links.push.flush(settled)
      for (const connection of this.#clients.keys()) settled.close(connection, "service-restart")
      for (const link of this.#links.all()) settled.close(link.connection, "service-restart")
      this.#isOver = this.#doubt !== undefined
      if (this.#doubt === undefined) settled.push({ type: "stopped" })
      else settled.push({ type: "reopen", doubt: this.#doubt })
    })
  }

  /** When `deadline` is due next. O(peers). */
  nextDeadline(): { atMs: Millis; reason: string } | undefined {
    if (this.#isOver) return undefined
    const commit = this.#core.commits.deadline() ?? Infinity
    if (this.#isStopping) return commit < Infinity ? { atMs: commit, reason: "commit" } : undefined
    const links = this.#links.deadline()
    const presence = this.#presence.watch.deadline
    const atMs = Math.min(commit, links, presence, this.#sweepAtMs)
    if (atMs === commit) return { atMs, reason: "commit" }
    if (atMs === presence) return { atMs, reason: "presence" }
    return { atMs, reason: atMs === links ? "links" : "sweep" }
  }

  status(): NodeStatus {
    return nodeStatus(this.#core, this.#links, this.#isStopping)
  }
}

function sessionsOf(client: ClientConnection): Iterable<Session> {
  return client.kind === "native" ? client.channels.values() : [client.session]
}
