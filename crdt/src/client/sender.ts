/**
 * Local updates on their way out: into storage first [C1], then to the node in order [C2] within
 * its window [C6], until they are acked [N6] or refused for good [C3]. A retryable reject sends
 * again from that number after a pause [N7]. What earlier connections acked is noted in storage
 * before anything is sent on the next: then a number that a later life of this client finds logged
 * stands in one log with all that it may still take for unacked [T8].
 */
import { limits } from "../base/index.ts"
import type { ClientId, ConnectionId, DocumentId, Millis } from "../base/index.ts"
import { encodeUpdate } from "../protocol/index.ts"
import type { Logged, RejectCode, Welcome } from "../protocol/index.ts"
import type { Random, StorageResult, StoredClient, StoredUpdate } from "../ports/index.ts"
import { BackOff } from "./back-off.ts"
import { clientLimits } from "./client-limits.ts"
import type { Copies, Pending } from "./copies.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import { Outbox } from "./outbox.ts"
import { Rejections } from "./rejections.ts"
import type { DocumentError, PendingStatus, RetryOutcome, SavedTo } from "./status.ts"
import { Tiers } from "./tiers.ts"
import type { WriteQueue } from "./write-queue.ts"

type Peer = {
  readonly socket: ConnectionId
  readonly windowBytes: number
  readonly updateBytesMax: number
}

/** Updates that a client has and no node has acked. */
export type Owed = { readonly pending: number; readonly rejected: number }

type Storing = { readonly writes: WriteQueue; readonly copies: Copies }
type RecordOf = (document: DocumentId) => DocumentRecord | undefined

export class Sender {
  readonly outbox: Outbox
  readonly tiers: Tiers
  readonly #writes: WriteQueue
  readonly #copies: Copies
  readonly #backOff: BackOff
  /** Documents whose status may have changed. */
  readonly #touched: Set<DocumentId>
  readonly #rejections: Rejections
  readonly #recordOf: RecordOf
  #peer: Peer | undefined
  #pausedUntilMs: Millis | undefined
  #ackedSeq = 0
  /** What has to be in storage before anything is sent on this connection. */
  #barrier: number | undefined

  constructor(
    stored: StoredClient,
    random: Random,
    touched: Set<DocumentId>,
    { writes, copies }: Storing,
    recordOf: RecordOf,
  ) {
    this.#writes = writes
    this.#copies = copies
    this.outbox = new Outbox(stored)
    this.tiers = new Tiers(stored.tiers, this.outbox.firstPending - 1, touched)
    this.#rejections = new Rejections(stored.rejected)
    this.#touched = touched
    this.#recordOf = recordOf
    this.#backOff = new BackOff(
      random,
      clientLimits.resendBackoffMsMin,
      clientLimits.resendBackoffMsMax,
    )
  }

  get pending(): PendingStatus {
    const { count, bytes } = this.outbox
    const full = bytes > clientLimits.outboxBytesMax
    return { count, bytes, full, storageHealthy: this.#writes.healthy }
  }

  get storing(): boolean {
    return this.#writes.busy
  }

  savedTo(document: DocumentId): SavedTo {
    const last = this.outbox.lastOf(document) ?? this.#rejections.lastOf(document)
    if (last !== undefined) return last > this.outbox.storedSeq ? "memory" : "local"
    const record = this.#recordOf(document)
    // What was dismissed may be in this replica, and nowhere else.
    if ((record?.refused.size ?? 0) > 0) return "memory"
    if (record?.reached !== true) return "local"
    const seq = this.tiers.seqOf(record)
    const isAt = (tier: "quorum" | "all"): boolean => {
      return this.tiers.stateOf(tier, seq).state === "saved"
    }
    if (isAt("all")) return "all"
    return isAt("quorum") ? "quorum" : "node"
  }

  /** Undefined once the app has dismissed every rejected update and opened a new replica. */
  rejectionOf(document: DocumentId): DocumentError | undefined {
    const [refused] = this.#recordOf(document)?.refused.values() ?? []
    return this.#rejections.of(document) ?? refused
  }

  add(
    { document, generation }: Pick<DocumentRecord, "document" | "generation">,
    bytes: Uint8Array,
    effects: ClientEffect[],
  ): StoredUpdate {
    const update = this.outbox.add(document, generation, bytes)
    this.#touched.add(document)
    if (bytes.length > limits.updateBytesMax) {
      this.refuse(update.seq, "too-large", `over ${limits.updateBytesMax} bytes`, effects)
    } else this.#writes.push({ type: "outbox-add", update })
    return update
  }

  rename(client: ClientId): void {
    this.#writes.push({ type: "client", client })
  }

  dismiss(seq: number): void {
    const dismissed = this.#rejections.take(seq)
    if (dismissed !== undefined) this.#touched.add(dismissed.document)
    this.#writes.push({ type: "rejected-remove", seq })
    if (dismissed?.code === "document-deleted" && !this.isOwed(dismissed.document)) {
      this.#copies.remove(dismissed)
    }
  }

  /** What was typed in the document and has not come to a node. */
  owedOf(document: DocumentId): Owed {
    const rejected = this.#rejections.seqsOf(document).length
    return { pending: this.outbox.countOf(document), rejected }
  }

  isOwed(document: DocumentId): boolean {
    const { pending, rejected } = this.owedOf(document)
    return pending + rejected > 0
  }

  /**
   * Takes the document's updates out for good; their numbers become void. Gives whether any of them
   * is under way.
   */
  discard(document: DocumentId): boolean {
    const pending = this.outbox.seqsOf(document)
    const rejected = this.#rejections.seqsOf(document)
    for (const seq of pending) this.outbox.remove(seq)
    for (const seq of rejected) this.#rejections.take(seq)
    this.#touched.add(document)
    const discarded = [...pending, ...rejected]
    const generation = Number.MAX_SAFE_INTEGER
    this.#writes.push({ type: "document-remove", document, generation, discarded })
    return (pending[0] ?? Infinity) < this.outbox.cursor
  }

  /** A point in the order of writes; undefined if all is stored. */
  mark(): number | undefined {
    return this.#writes.mark()
  }

  isStored(mark: number): boolean {
    return this.#writes.isDone(mark)
  }

  stored(result: StorageResult, nowMs: Millis, effects: ClientEffect[]): void {
    const before = this.outbox.storedSeq
    this.outbox.stored(this.#writes.done(result, nowMs))
    for (let seq = before + 1; seq <= this.outbox.storedSeq; seq++) {
      const update = this.outbox.get(seq)
      if (update !== undefined) this.#touched.add(update.document)
    }
    if (result.ok) return
    effects.push({ type: "emit", event: { type: "storage-failed", message: result.message } })
  }

  connected(socket: ConnectionId, welcome: Welcome, effects: ClientEffect[]): void {
    const { windowBytes, updateBytesMax, loggedSeq } = welcome
    this.#peer = { socket, windowBytes, updateBytesMax }
    this.#pausedUntilMs = undefined
    const removed = this.outbox.connected(loggedSeq)
    this.tiers.connected(socket, welcome, effects)
    this.#settle(loggedSeq, removed)
    this.#barrier = this.#writes.mark()
  }

  disconnected(): void {
    this.#peer = undefined
    this.#pausedUntilMs = undefined
    this.tiers.disconnected()
  }

  /** False if the node acks what is not under way. */
  acked(seq: number): boolean {
    if (seq >= this.outbox.cursor) return false
    const removed = this.outbox.acked(seq)
    this.tiers.positions.acked(seq)
    this.#settle(seq, removed)
    return true
  }

  /** False if the node may not say where it logs. */
  logged(message: Logged): boolean {
    const wasUnplaced = this.tiers.isUnplaced
    if (!this.tiers.onLogged(message)) return false
    if (!wasUnplaced) return true
    this.#noteTiers()
    this.#barrier = this.#writes.mark()
    return true
  }

  #noteTiers(): void {
    this.#writes.push({ type: "tiers", state: this.tiers.positions.encode() })
  }

  /** Refused for good: out of the outbox, onto the shelf. The sequence goes on. */
  refuse(seq: number, code: RejectCode, message: string, effects: ClientEffect[]): void {
    const update = this.outbox.remove(seq)
    if (update === undefined) return
    this.#touched.add(update.document)
    const record = this.#recordOf(update.document)
    const generation = update.generation || (record?.generation ?? 0)
    const rejected = { ...update, generation, code, message }
    const error = this.#rejections.add(rejected)
    record?.refused.set(seq, error)
    if (record?.repair?.seq === seq) record.repair = undefined
    this.#writes.push({ type: "rejected-add", update: rejected })
    effects.push({ type: "rejected", update: rejected })
  }

  /** Sends again from `seq` once the back-off is over. */
  retry(seq: number, reason: string, nowMs: Millis, effects: ClientEffect[]): void {
    if (seq <= this.#ackedSeq) return
    this.outbox.rewind(seq)
    this.#pausedUntilMs = nowMs + this.#backOff.next()
    effects.push({ type: "emit", event: { type: "resend", fromSeq: seq, reason } })
  }

  resume(): void {
    this.#pausedUntilMs = undefined
  }

  pauseUntil(atMs: Millis): void {
    this.#pausedUntilMs = atMs
  }

  /** Takes what a node could not take then off the shelf, under new numbers [N7]. */
  retryShelved(document: DocumentId, effects: ClientEffect[]): void {
    for (const { seq } of this.#rejections.retryableOf(document)) this.unshelve(seq, effects)
  }

  /** Whether a rejected update may be tried again; `pending` if so. */
  retryOf(seq: number): RetryOutcome {
    const update = this.#rejections.get(seq)
    if (update === undefined) return "gone"
    const { document, generation, code, bytes } = update
    if (code === "document-deleted" || code === "invalid-update") return code
    if (bytes.length > limits.updateBytesMax) return "too-large"
    const record = this.#recordOf(document)
    const now = Math.max(record?.generation ?? 0, this.outbox.generationOf(document))
    // What is there now under that name is another document, or none.
    const isOver = generation > 0 && generation < now
    return isOver || record?.error?.code === "document-deleted" ? "document-deleted" : "pending"
  }

  /** Off the shelf and into the outbox, under a new number, in one write. */
  unshelve(seq: number, effects: ClientEffect[]): StoredUpdate | undefined {
    const shelved = this.#rejections.take(seq)
    if (shelved === undefined) return undefined
    const { document, generation, bytes } = shelved
    const update = this.outbox.add(document, generation, bytes)
    this.#writes.push({ type: "outbox-add", update, shelved: seq })
    this.#recordOf(document)?.refused.delete(seq)
    this.#touched.add(document)
    effects.push({ type: "retried", seq, update })
    return update
  }

  /** What a replica of the document has to have: nodes may not send it back. */
  pendingUpdates(document: DocumentId): Pending {
    const shelved = this.#rejections.retryableOf(document).map(({ bytes }) => bytes)
    return {
      pending: [...shelved, ...this.outbox.updatesOf(document, false)],
      withheld: this.outbox.updatesOf(document, true),
    }
  }

  /** Sends what may be sent; `channelOf` gives the document's channel if it may be used. */
  pump(
    nowMs: Millis,
    channelOf: (document: DocumentId) => number | undefined,
    effects: ClientEffect[],
  ): void {
    const peer = this.#peer
    if (peer === undefined) return
    if (this.#pausedUntilMs !== undefined && nowMs < this.#pausedUntilMs) return
    this.#pausedUntilMs = undefined
    if (this.tiers.isUnplaced || !this.#isPastBarrier()) return
    for (let next = this.outbox.upcoming(); next !== undefined; next = this.outbox.upcoming()) {
      // Once its number went out empty, a node's `welcome` may take it for logged.
      if (this.#writes.shelving) return
      if (next.bytes.length > peer.updateBytesMax) {
        this.refuse(next.seq, "too-large", `over the node's ${peer.updateBytesMax}`, effects)
        continue
      }
      const channel = channelOf(next.document)
      if (channel === undefined) return
      const frame = this.outbox.take(peer.windowBytes)
      if (frame === undefined) return
      const { seq, updates } = frame
      const bytes = encodeUpdate({ type: "update", channel, seq, updates })
      effects.push({ type: "send", socket: peer.socket, frame: bytes })
    }
  }

  #isPastBarrier(): boolean {
    if (this.#barrier !== undefined && this.#writes.isDone(this.#barrier)) this.#barrier = undefined
    return this.#barrier === undefined
  }

  flush(nowMs: Millis, effects: ClientEffect[]): void {
    this.#writes.flush(nowMs, effects)
  }

  deadlines(): { readonly atMs: Millis | undefined; readonly reason: string }[] {
    return [
      { atMs: this.#pausedUntilMs, reason: "resend" },
      { atMs: this.#writes.retryAtMs, reason: "storage" },
    ]
  }

  #settle(seq: number, removed: StoredUpdate[]): void {
    this.#ackedSeq = Math.max(this.#ackedSeq, seq)
    if (removed.length === 0) return
    // Where it is goes into storage before, or with, that it is out of the outbox.
    this.#noteTiers()
    this.#backOff.reset()
    for (const { seq: done, document } of removed) {
      this.#touched.add(document)
      const record = this.#recordOf(document)
      if (record === undefined) continue
      record.reached = true
      // A node took it before it could say which one that was: one that there is, or was.
      record.generation ||= 1
      this.tiers.noteAcked(record, done)
      if (record.repair?.seq === done) record.repair = undefined
    }
    // Into the copy before, or with, being out of the outbox.
    for (const [document, updates] of Map.groupBy(removed, (update) => update.document)) {
      this.#copies.acked(document, this.#recordOf(document), updates)
    }
    this.#writes.push({ type: "outbox-trim", seq })
  }
}
