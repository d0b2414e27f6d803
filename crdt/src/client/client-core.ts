/**
 * The client core: what a client must do to lose nothing that was typed and to show what its node
 * has, whatever the network does. A synchronous state machine (docs/architecture.md §3): inputs
 * in, effects out in causal order; it knows no clock, socket, storage or CRDT. Rules [C1]–[C6]
 * and the client's side of [N1]–[N12].
 */
import { limits, unreachable } from "../base/index.ts"
import type { ClientId, ConnectionId, DocumentId, Millis } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import { encodeHello, nativeVersions } from "../protocol/index.ts"
import type { Ack, NodeMessage, PeerFreshness, Welcome } from "../protocol/index.ts"
import type { DocumentReadResult, Random, StoredClient } from "../ports/index.ts"
import { randomClientId } from "./client-id.ts"
import { Channels } from "./channels.ts"
import type { ChannelOptions } from "./channels.ts"
import { clientLimits } from "./client-limits.ts"
import { Copies } from "./copies.ts"
import type { Opening } from "./copies.ts"
import { Dialler, isPermanent, leaving, whyOf } from "./dialler.ts"
import type { ClientEffect } from "./effect.ts"
import { decoded } from "./incoming.ts"
import type { ClientInput, ConnectionInput, LocalUpdate } from "./input.ts"
import { Presence } from "./presence.ts"
import { Refusals } from "./refusals.ts"
import { Repairs } from "./repairs.ts"
import { Sender } from "./sender.ts"
import type { Owed } from "./sender.ts"
import { StatusBoard } from "./status-board.ts"
import type { ConnectionStatus, DocumentError, DocumentStatus } from "./status.ts"
import type { PendingStatus, RetryOutcome, TierState, Why } from "./status.ts"
import type { HigherTier } from "./tier-positions.ts"
import { WriteQueue } from "./write-queue.ts"

export type ClientOptions = ChannelOptions & {
  /** At least one; tried in order of health. */
  readonly urls: readonly string[]
  /** What storage held when it was loaded. */
  readonly stored: StoredClient
  /** True if each attempt to connect starts with `fetch-token`. */
  readonly authenticated: boolean
  /** `clientLimits.compactRecordsMax` if not given. */
  readonly compactRecordsMax?: number
}

export class ClientCore {
  readonly #random: Random
  readonly #dialler: Dialler
  readonly #copies: Copies
  readonly #sender: Sender
  readonly #channels: Channels
  readonly #repairs: Repairs
  readonly #refusals: Refusals
  readonly #presence: Presence
  readonly #board: StatusBoard
  readonly #touched = new Set<DocumentId>()
  #client: ClientId
  #peers: readonly PeerFreshness[] | undefined
  #stopped = false

  constructor(options: ClientOptions) {
    const { urls, random, stored } = options
    this.#random = random
    this.#client = stored.client
    this.#dialler = new Dialler(urls, random, options.authenticated)
    const writes = new WriteQueue()
    this.#copies = new Copies(writes, options.compactRecordsMax ?? clientLimits.compactRecordsMax)
    const storing = { writes, copies: this.#copies }
    this.#sender = new Sender(stored, random, this.#touched, storing, (document) => {
      return this.#channels.table.get(document)
    })
    this.#channels = new Channels(this.#sender.outbox, this.#copies, options, this.#touched)
    this.#repairs = new Repairs(this.#sender, this.#channels)
    this.#refusals = new Refusals(this.#sender, this.#channels, this.#repairs, this.#copies)
    this.#presence = new Presence(this.#channels)
    this.#board = new StatusBoard(this.#sender, this.#channels.table)
  }

  get client(): ClientId {
    return this.#client
  }

  get connection(): ConnectionStatus {
    return this.#dialler.status(this.#peers)
  }

  get pending(): PendingStatus {
    return this.#sender.pending
  }

  /** True while anything has to be stored still; a driver waits for that before it ends. */
  get storing(): boolean {
    return this.#sender.storing
  }

  /** Every update up to here is in storage. */
  get storedSeq(): number {
    return this.#sender.outbox.storedSeq
  }

  /** The number that was given last, and the one up to which nodes have, or refused, everything. */
  get seqs(): { readonly last: number; readonly acked: number } {
    const { nextSeq, firstPending } = this.#sender.outbox
    return { last: nextSeq - 1, acked: firstPending - 1 }
  }

  /** Documents with pending updates, in the order of their oldest. */
  pendingDocuments(): DocumentId[] {
    return this.#sender.outbox.documents()
  }

  /** Numbers of the document's oldest and newest pending update; undefined if there is none. */
  pendingOf(document: DocumentId): { readonly first: number; readonly last: number } | undefined {
    const first = this.#sender.outbox.firstOf(document)
    const last = this.#sender.outbox.lastOf(document)
    return first === undefined || last === undefined ? undefined : { first, last }
  }

  /** Whether everything up to the update `seq` has come to a tier that was asked for. */
  tierOf(tier: HigherTier, seq: number): TierState {
    return this.#sender.tiers.stateOf(tier, seq)
  }

  /** The number to wait for until all that is typed in the document now is at a higher tier. */
  tierSeqOf(document: DocumentId): number {
    const record = this.#channels.table.get(document)
    const { outbox, tiers } = this.#sender
    return outbox.lastOf(document) ?? (record && tiers.seqOf(record)) ?? tiers.positions.placedTo
  }

  /**
   * What a new replica of the document has to begin with; `read` is what storage gives right now.
   * The replica is told to the core by `open-document` before anything else happens. Rule [C8].
   */
  opening(document: DocumentId, read: DocumentReadResult): Opening {
    const pending = this.#sender.pendingUpdates(document)
    const generation = this.#sender.outbox.generationOf(document)
    return this.#copies.opening(document, read, { ...pending, generation })
  }

  /** Undefined for a document that is neither held nor has pending updates. */
  statusOf(document: DocumentId): DocumentStatus | undefined {
    return this.#board.statusOf(document)
  }

  /** While there is one, that the outbox is empty does not mean that nodes have everything. */
  rejectionOf(document: DocumentId): DocumentError | undefined {
    return this.#sender.rejectionOf(document)
  }

  /** What would become of it if the app had a rejected update tried again now. */
  retryOf(seq: number): RetryOutcome {
    return this.#sender.retryOf(seq)
  }

  /** What would be lost if the document was removed now. */
  owedOf(document: DocumentId): Owed {
    return this.#sender.owedOf(document)
  }

  /** A point in the order of writes; undefined if all is stored. */
  get storingTo(): number | undefined {
    return this.#sender.mark()
  }

  isStored(mark: number): boolean {
    return this.#sender.isStored(mark)
  }

  /** What the document's replica has, as far as log entries say. */
  resumeOf(document: DocumentId): VersionVector | undefined {
    return this.#channels.table.get(document)?.resume?.clone()
  }

  /** Pushes effects in causal order. Never throws for what a node sends. */
  step(input: ClientInput, nowMs: Millis, effects: ClientEffect[]): void {
    if (this.#stopped) return
    this.#on(input, nowMs, effects)
    this.#settle(nowMs, effects)
  }

  nextDeadline(): { readonly atMs: Millis; readonly reason: string } | undefined {
    if (this.#stopped) return undefined
    const ready = this.#dialler.phase.state === "ready"
    const reopen = { atMs: this.#channels.nextDeadline(), reason: "reopen" }
    const candidates = [
      ...this.#sender.deadlines(),
      ...(ready ? [...this.#presence.deadlines(), reopen] : []),
    ]
    let next = this.#dialler.nextDeadline()
    for (const { atMs, reason } of candidates) {
      if (atMs !== undefined && atMs < (next?.atMs ?? Infinity)) next = { atMs, reason }
    }
    return next
  }

  #on(input: ClientInput, nowMs: Millis, effects: ClientEffect[]): void {
    switch (input.type) {
      case "open-document":
        this.#sender.retryShelved(input.document, effects)
        return this.#channels.hold(input, nowMs, effects)
      case "close-document":
        return this.#onCloseDocument(input.document, effects)
      case "remove-document":
        return this.#onRemoveDocument(input.document, nowMs, effects)
      case "local-update":
        return this.#onLocalUpdate(input, effects)
      case "difference":
        return this.#onDifference(input.document, input.bytes, effects)
      case "compacted":
        return this.#onCompacted(input.document, input.state)
      case "deliver-failed":
        return this.#onDeliverFailed(input.document, input.message, nowMs)
      case "local-presence":
        return this.#presence.set(input, effects)
      case "stored":
        return this.#sender.stored(input.result, nowMs, effects)
      case "dismiss-rejected":
        return this.#sender.dismiss(input.seq)
      case "retry-rejected":
        return this.#onRetry(input.seq, nowMs, effects)
      case "want-tier":
        return this.#sender.tiers.want(input.tier, this.#channels.table.all(), effects)
      default:
        return this.#onConnection(input, nowMs, effects)
    }
  }

  #onConnection(input: ConnectionInput, nowMs: Millis, effects: ClientEffect[]): void {
    switch (input.type) {
      case "socket-opened":
        return this.#onSocketOpened(input.socket, nowMs, effects)
      case "socket-closed":
        return this.#onSocketClosed(input.socket, input, nowMs, effects)
      case "frame":
        return this.#onFrame(input.socket, input.bytes, nowMs, effects)
      case "token":
        return this.#dialler.tokenIs(input.token, nowMs, effects)
      case "token-failed":
        return this.#dialler.noToken(input.message, nowMs)
      case "refresh-token":
        return this.#dialler.refreshToken(nowMs, effects)
      case "connect-now":
        return this.#dialler.hurry(nowMs, effects)
      case "go-offline":
        return this.#onGoOffline(nowMs, effects)
      case "go-online":
        return this.#dialler.start(nowMs, effects)
      case "deadline":
        return this.#onDeadline(nowMs, effects)
      case "stop":
        return this.#onStop(nowMs, effects)
      default:
        return unreachable(input)
    }
  }

  /** What every input may have made possible. */
  #settle(nowMs: Millis, effects: ClientEffect[]): void {
    this.#channels.settle(nowMs, effects)
    this.#sender.pump(nowMs, (document) => this.#channels.updateChannelOf(document), effects)
    const { phase } = this.#dialler
    if (phase.state === "ready") this.#presence.settle(nowMs, phase.socket, effects)
    this.#dialler.showsPresence(this.#presence.isShown, nowMs)
    this.#copies.settle(this.#channels.table, this.#sender.outbox, effects)
    this.#sender.flush(nowMs, effects)
    // A refusal may have emptied a document that nobody holds: its channel goes now.
    this.#channels.settle(nowMs, effects)
    this.#board.flush(this.connection, this.#touched, effects)
  }

  #onCloseDocument(document: DocumentId, effects: ClientEffect[]): void {
    const record = this.#channels.release(document)
    if (record === undefined) return
    const ready = this.#dialler.phase.state === "ready"
    this.#presence.leave(record, ready ? this.#dialler.socket : undefined, effects)
  }

  #onRemoveDocument(document: DocumentId, nowMs: Millis, effects: ClientEffect[]): void {
    const record = this.#channels.table.get(document)
    if (record?.held === true) return
    if (record !== undefined) record.repair = undefined
    const wasUnderWay = this.#sender.discard(document)
    if (!wasUnderWay || this.#dialler.phase.state !== "ready") return
    // On this connection its node would never send it to the next replica [N8], but claim it.
    this.#giveUp({ code: 4000, reason: "what is under way was discarded" }, nowMs, effects)
  }

  #onLocalUpdate(
    { document, bytes, generation = 0, withheld }: LocalUpdate,
    effects: ClientEffect[],
  ): void {
    const record = this.#channels.table.take(document)
    if (this.#refusals.refuseOver(record, generation, bytes, effects)) return
    const update = this.#sender.add(record, bytes, effects)
    if (withheld === true) this.#sender.outbox.withhold(update.seq)
    if (this.#refusals.refuseClosed(record, update.seq, effects)) return
    this.#channels.outgoing(record, bytes)
  }

  #onRetry(seq: number, nowMs: Millis, effects: ClientEffect[]): void {
    if (this.retryOf(seq) !== "pending") return
    const update = this.#sender.unshelve(seq, effects)
    if (update !== undefined) this.#channels.retried(update, nowMs, effects)
  }

  #onDifference(document: DocumentId, bytes: Uint8Array, effects: ClientEffect[]): void {
    const record = this.#channels.table.get(document)
    if (record === undefined || bytes.length === 0) return
    if (this.#repairs.answered(record, bytes, effects)) return
    // The same difference is not refused, and kept, at each reconnect.
    if (bytes.length > limits.updateBytesMax && record.refused.size > 0) return
    this.#onLocalUpdate({ document, bytes }, effects)
  }

  #onCompacted(document: DocumentId, state: Uint8Array): void {
    const record = this.#channels.table.get(document)
    if (record === undefined) return
    this.#copies.compacted(record, state, this.#sender.outbox.countOf(document))
  }

  #onDeliverFailed(document: DocumentId, message: string, nowMs: Millis): void {
    const record = this.#channels.table.get(document)
    if (record !== undefined) this.#channels.onDeliverFailed(record, message, nowMs)
  }

  #onSocketOpened(socket: ConnectionId, nowMs: Millis, effects: ClientEffect[]): void {
    if (this.#dialler.moveTo(socket, effects)) this.#disconnected(nowMs, effects)
    if (socket !== this.#dialler.socket || this.#dialler.phase.state !== "dialling") return
    const frame = encodeHello({
      type: "hello",
      versions: nativeVersions,
      client: this.#client,
      firstPending: this.#sender.outbox.greet(),
      token: this.#dialler.token,
    })
    effects.push({ type: "send", socket, frame })
    this.#dialler.greeted(nowMs)
  }

  #onSocketClosed(
    socket: ConnectionId,
    { code, reason }: { readonly code: number; readonly reason: string },
    nowMs: Millis,
    effects: ClientEffect[],
  ): void {
    if (this.#dialler.probeEnded(socket, nowMs)) return
    if (socket !== this.#dialler.socket) return
    this.#disconnected(nowMs, effects)
    this.#dialler.ended({ code, reason }, isPermanent(code), nowMs)
  }

  #onGoOffline(nowMs: Millis, effects: ClientEffect[]): void {
    this.#hangUp(leaving, nowMs, effects)
    this.#dialler.rest({ state: "offline" })
  }

  #onStop(nowMs: Millis, effects: ClientEffect[]): void {
    this.#hangUp(leaving, nowMs, effects)
    this.#dialler.rest({ state: "closed", why: { code: undefined, reason: "the app is done" } })
    this.#settle(nowMs, effects)
    this.#stopped = true
  }

  #onDeadline(nowMs: Millis, effects: ClientEffect[]): void {
    const why = this.#dialler.deadline(nowMs, effects)
    if (why !== undefined) this.#giveUp(why, nowMs, effects)
  }

  #onFrame(socket: ConnectionId, bytes: Uint8Array, nowMs: Millis, effects: ClientEffect[]): void {
    const { phase } = this.#dialler
    const listening = phase.state === "greeting" || phase.state === "ready"
    if (!listening || socket !== phase.socket) return
    this.#dialler.heard(nowMs)
    const message = decoded(bytes, effects)
    if (message === undefined) return this.#giveUp(whyOf("malformed"), nowMs, effects)
    const greeting = phase.state === "greeting"
    const sound =
      message.type === "welcome"
        ? greeting && this.#onWelcome(message, socket, nowMs, effects)
        : !greeting && this.#onMessage(message, nowMs, effects)
    if (sound) return
    const event = { type: "protocol-violation", message: message.type } as const
    effects.push({ type: "emit", event })
    this.#giveUp(whyOf("malformed", `unexpected ${message.type}`), nowMs, effects)
  }

  /** False if the message breaks the protocol. */
  #onMessage(
    message: Exclude<NodeMessage, Welcome>,
    nowMs: Millis,
    effects: ClientEffect[],
  ): boolean {
    switch (message.type) {
      case "opened":
        return this.#channels.onOpened(message)
      case "generation":
        return this.#channels.onGeneration(message)
      case "caught-up":
      case "woken":
        return this.#channels.onWatching(message)
      case "ack":
        return this.#onAck(message, effects)
      case "logged":
        return this.#sender.logged(message)
      case "tier-status":
        return this.#sender.tiers.onStatus(message, nowMs)
      case "reject":
        return this.#refusals.onReject(message, nowMs, effects)
      case "updates":
        this.#repairs.onUpdates(message, nowMs)
        return this.#channels.onUpdates(message, effects)
      case "document-presence":
        this.#presence.receive(message, effects)
        return true
      case "document-closed":
        return this.#refusals.onDocumentClosed(message, nowMs, effects)
      case "pong":
        return true
      case "token-valid":
        return this.#dialler.tokenValid(message.forMs, nowMs)
      case "freshness":
        this.#peers = message.peers
        return true
      default:
        return unreachable(message)
    }
  }

  #onAck({ tier, seq, marks }: Ack, effects: ClientEffect[]): boolean {
    if (tier !== "node") return this.#sender.tiers.onTierAcked(tier, seq)
    return this.#sender.acked(seq) && this.#channels.onMarks(marks, effects)
  }

  #onWelcome(
    welcome: Welcome,
    socket: ConnectionId,
    nowMs: Millis,
    effects: ClientEffect[],
  ): boolean {
    const { version, loggedSeq } = welcome
    if (version < nativeVersions.min || version > nativeVersions.max) return false
    const { sentSeq } = this.#sender.outbox
    if (loggedSeq > sentSeq) {
      // Going on would let the node take new updates for repeats of old ones, and drop them.
      effects.push({ type: "emit", event: { type: "client-renewed", loggedSeq, sentSeq } })
      this.#client = randomClientId(this.#random)
      this.#sender.rename(this.#client)
      this.#giveUp({ code: 4000, reason: "this client takes a new identity" }, nowMs, effects)
      return true
    }
    this.#dialler.ready(welcome, nowMs, effects)
    this.#sender.connected(socket, welcome, effects)
    this.#channels.connected(socket, welcome, effects)
    this.#presence.connected(nowMs)
    return true
  }

  /** This side ends the connection and tries again. */
  #giveUp(why: Why, nowMs: Millis, effects: ClientEffect[]): void {
    this.#hangUp(why, nowMs, effects)
    this.#dialler.ended(why, false, nowMs)
  }

  #hangUp(why: Why, nowMs: Millis, effects: ClientEffect[]): void {
    const { socket } = this.#dialler
    if (socket === undefined) return
    effects.push({ type: "disconnect", socket, code: why.code ?? 1000, reason: why.reason })
    this.#disconnected(nowMs, effects)
  }

  #disconnected(nowMs: Millis, effects: ClientEffect[]): void {
    this.#peers = undefined
    this.#dialler.dropProbe(effects)
    this.#sender.disconnected()
    this.#channels.disconnected(nowMs, effects)
    this.#presence.disconnected()
  }
}
