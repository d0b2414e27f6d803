/**
 * Documents on the connection: opened with what the replica has, caught up, live, closed
 * [N3] [N4] [N10]. The resume point moves with `updates` in the order of arrival; ack marks are
 * held back until the catch-up is complete [C5].
 */
import { limits } from "../base/index.ts"
import type { ConnectionId, DocumentId, Millis, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { documentCloseCodes, encodeCloseDocument, encodeOpen } from "../protocol/index.ts"
import type { AckMark, DocumentClosed, Generation } from "../protocol/index.ts"
import type { CaughtUp, Opened, Resume, Updates, Woken } from "../protocol/index.ts"
import type { Random, StoredUpdate } from "../ports/index.ts"
import { BackOff } from "./back-off.ts"
import { clientLimits } from "./client-limits.ts"
import { DocumentTable } from "./document-table.ts"
import type { Copies } from "./copies.ts"
import type { DocumentRecord } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { Outbox } from "./outbox.ts"
import type { DocumentError } from "./status.ts"
import { Watching } from "./watching.ts"

type Peer = {
  readonly socket: ConnectionId
  readonly origin: OriginId
  /** Of the native protocol. */
  readonly version: number
}

/** What the app has as it opens a document. */
type Held = {
  readonly document: DocumentId
  readonly generation: number
  readonly resume: Resume
  readonly stored?: readonly Uint8Array[]
}

export type ChannelOptions = {
  readonly random: Random
  /** Documents from which on they are watched; `limits.watchMin` if not given. */
  readonly watchMin?: number
}

export class Channels {
  readonly table = new DocumentTable()
  readonly #outbox: Outbox
  readonly #copies: Copies
  readonly #backOff: BackOff
  readonly #touched: Set<DocumentId>
  /** Documents that want a channel, in the order they asked. */
  readonly #wanting = new Set<DocumentRecord>()
  /** Documents that want one again, each after its back-off. */
  readonly #waiting = new Set<DocumentRecord>()
  readonly #watching: Watching
  #peer: Peer | undefined

  constructor(
    outbox: Outbox,
    copies: Copies,
    { random, watchMin = limits.watchMin }: ChannelOptions,
    touched: Set<DocumentId>,
  ) {
    this.#outbox = outbox
    this.#copies = copies
    this.#touched = touched
    this.#watching = new Watching(outbox, watchMin)
    this.#backOff = new BackOff(
      random,
      clientLimits.reopenBackoffMsMin,
      clientLimits.reopenBackoffMsMax,
    )
  }

  hold(
    { document, generation, resume, stored = [] }: Held,
    nowMs: Millis,
    effects: ClientEffect[],
  ): void {
    const record = this.table.take(document)
    // What came meanwhile was not applied: start again from what this replica has.
    this.#leave(record, nowMs, effects)
    record.held = true
    // A fresh replica that has nothing pending is of whatever is there now.
    record.generation = Math.max(generation, this.#outbox.generationOf(document))
    if (record.error?.code === "document-deleted") record.error = undefined
    record.broken = false
    record.refused = new Map<number, DocumentError>()
    record.repair = undefined
    record.base = resume
    record.resume = undefined
    record.covered = undefined
    this.#copies.held(record, stored)
    this.want(record)
  }

  release(document: DocumentId): DocumentRecord | undefined {
    const record = this.table.get(document)
    if (record === undefined) return undefined
    record.held = false
    this.#copies.forget(document)
    // The app was told, and has seen what there was.
    if (record.error?.code === "document-deleted") this.#copies.remove(record)
    this.#touched.add(document)
    return record
  }

  want(record: DocumentRecord): void {
    this.#waiting.delete(record)
    this.#watching.records.delete(record)
    if (record.channel.state === "closed") this.#wanting.add(record)
    this.#touched.add(record.document)
  }

  /** The document's channel, if `open` was sent on this connection. */
  channelOf(document: DocumentId): number | undefined {
    const channel = this.table.get(document)?.channel
    return channel === undefined || channel.state === "closed" ? undefined : channel.channel
  }

  /** That for updates: none while one waits for what a replica has and the node lacks. */
  updateChannelOf(document: DocumentId): number | undefined {
    const record = this.table.get(document)
    const waits = record?.repair !== undefined && record.held && !record.broken
    return waits && record.channel.state !== "live" ? undefined : this.channelOf(document)
  }

  /** An own update: it may be on its way while the node's summary is compared. */
  outgoing(record: DocumentRecord, bytes: Uint8Array): void {
    const { channel } = record
    if (channel.state === "opening" || channel.state === "catching-up") channel.outgoing.push(bytes)
    if (channel.state === "closed" && channel.reopenAtMs === undefined) this.want(record)
  }

  /** It is of the generation in which it was typed: so is what it goes into. [R7] */
  retried(
    { document, generation, bytes }: StoredUpdate,
    nowMs: Millis,
    effects: ClientEffect[],
  ): void {
    const record = this.table.take(document)
    const isUnheard = record.generation === 0 && generation > 0
    record.generation ||= generation
    if (isUnheard) this.reopen(record, nowMs, effects)
    else this.outgoing(record, bytes)
  }

  /** The app shows presence in it. */
  engage(record: DocumentRecord): void {
    if (this.#watching.records.has(record)) this.want(record)
  }

  connected(
    socket: ConnectionId,
    { origin, version }: Omit<Peer, "socket">,
    effects: ClientEffect[],
  ): void {
    this.#peer = { socket, origin, version }
    for (const document of this.#outbox.documents()) {
      const record = this.table.take(document)
      record.generation ||= this.#outbox.generationOf(document)
      this.want(record)
    }
    for (const record of this.table.all()) if (record.held) this.want(record)
    const frame = this.#watching.begin(version, this.table.all())
    if (frame === undefined) return
    for (const record of this.#watching.records) this.#wanting.delete(record)
    effects.push({ type: "send", socket, frame })
  }

  disconnected(nowMs: Millis, effects: ClientEffect[]): void {
    this.#peer = undefined
    this.#wanting.clear()
    this.#watching.records.clear()
    this.#waiting.clear()
    for (const record of this.table.all()) {
      this.#touched.add(record.document)
      record.repair = undefined
      record.broken = false
      this.#forgetOthers(record, effects)
    }
    this.table.disconnected(nowMs)
  }

  /** Opens what wants to be open, and lets go of what nobody needs any more. */
  settle(nowMs: Millis, effects: ClientEffect[]): void {
    for (const document of this.#touched) {
      const record = this.table.get(document)
      if (record === undefined || record.held || this.#outbox.countOf(document) > 0) continue
      this.#leave(record, nowMs, effects)
      this.#wanting.delete(record)
      this.#waiting.delete(record)
      this.#watching.records.delete(record)
      this.table.delete(record)
    }
    for (const record of this.#waiting) {
      const { channel } = record
      if (channel.state !== "closed" || (channel.reopenAtMs ?? 0) <= nowMs) this.want(record)
    }
    if (this.#peer === undefined) return
    for (const record of this.#wanting) {
      if (this.table.openCount >= limits.channelsPerConnectionMax) return
      this.#wanting.delete(record)
      this.#open(record, this.#peer, effects)
    }
  }

  /** False if the node breaks the protocol; so are the other `on…`. */
  onOpened(message: Opened): boolean {
    const record = this.table.byChannel(message.channel)
    if (record === undefined) return this.table.wasChannel(message.channel)
    const rival = this.table.byHandle(message.handle)
    if (record.channel.state !== "opening" || rival !== undefined) return false
    // Of version 1, a node that knows no other.
    record.generation ||= 1
    this.table.opened(record, message.handle, message.summary)
    record.access = message.access
    record.reached = true
    record.error = undefined
    this.#touched.add(record.document)
    return true
  }

  /** Told of a document that was opened with nothing. */
  onGeneration({ channel, generation }: Generation): boolean {
    const record = this.table.byChannel(channel)
    if (record === undefined) return this.table.wasChannel(channel)
    if (record.channel.state !== "opening" || record.generation > 0) return false
    record.generation = generation
    this.#touched.add(record.document)
    return true
  }

  onWatching(message: CaughtUp | Woken): boolean {
    if (message.type === "woken") this.#onWoken(message)
    else this.#watching.cover(message.vector, this.table.all())
    return true
  }

  #onWoken({ held, hashes }: Woken): void {
    const woken = hashes && new Set(hashes)
    for (const record of this.#watching.records) {
      if (this.#watching.isWoken(record, held, woken)) this.want(record)
      else if (held !== undefined) {
        record.freshness = { state: "live" }
        // Nothing else is covered.
        record.access = "write"
        this.#touched.add(record.document)
      }
    }
  }

  onUpdates(message: Updates, effects: ClientEffect[]): boolean {
    const record = this.table.byHandle(message.handle)
    if (record === undefined || this.#peer === undefined) return true
    const applies = record.held && !record.broken
    if (applies && !advance(record, message)) return false
    const node = message.complete ? this.#live(record, this.#peer.origin) : undefined
    if (!applies) return true
    const { document } = record
    this.#copies.delivered(record, message.updates)
    const resume = record.resume?.clone() ?? new VersionVector()
    effects.push({ type: "deliver", document, updates: message.updates, resume })
    if (node === undefined || record.access !== "write") return true
    // An empty summary is none: the node had not read the document, because it had no need to.
    if (node.summary.length === 0) return true
    effects.push({ type: "node-summary", document, ...node })
    return true
  }

  onMarks(marks: readonly AckMark[], effects: ClientEffect[]): boolean {
    for (const { channel: number, seq } of marks) {
      const record = this.table.byChannel(number)
      if (record === undefined) {
        if (!this.table.wasChannel(number)) return false
        continue
      }
      const { channel, document } = record
      if (channel.state === "opening" || channel.state === "catching-up") {
        record.channel = { ...channel, markSeq: Math.max(channel.markSeq, seq) }
      } else if (this.#raise(record, seq) && record.resume !== undefined) {
        this.#copies.delivered(record, [])
        effects.push({ type: "resume", document, resume: record.resume.clone() })
      }
    }
    return true
  }

  /** Gives the document that was closed, if it was open. */
  onClosed(
    message: DocumentClosed,
    nowMs: Millis,
    effects: ClientEffect[],
  ): DocumentRecord | undefined {
    const record = this.table.byChannel(message.channel)
    if (record === undefined) return undefined
    // Other documents leave the connection in time, and make room.
    const retryable = documentCloseCodes[message.code].retry || message.code === "too-many"
    const reopenAtMs = retryable ? nowMs + this.#backOff.next() : undefined
    this.#forgetOthers(record, effects)
    this.table.close(record, reopenAtMs, nowMs)
    record.error = { code: message.code, message: message.message, retryable }
    if (retryable) this.#waiting.add(record)
    this.#touched.add(record.document)
    return record
  }

  onDeliverFailed(record: DocumentRecord, message: string, nowMs: Millis): void {
    record.broken = true
    record.resume = undefined
    record.covered = undefined
    this.#copies.doubt(record)
    record.error = { code: "apply-failed", message, retryable: true }
    if (record.freshness.state === "live") record.freshness = { state: "stale", sinceMs: nowMs }
    this.#touched.add(record.document)
  }

  /** Closes and opens again: the node does not know the channel, or has to say what it has. */
  reopen(record: DocumentRecord, nowMs: Millis, effects: ClientEffect[]): void {
    this.#leave(record, nowMs, effects)
    this.want(record)
  }

  nextDeadline(): Millis | undefined {
    let atMs: Millis | undefined
    for (const { channel } of this.#waiting) {
      if (channel.state !== "closed" || channel.reopenAtMs === undefined) continue
      atMs = Math.min(atMs ?? Infinity, channel.reopenAtMs)
    }
    return atMs
  }

  #open(record: DocumentRecord, peer: Peer, effects: ClientEffect[]): void {
    if (record.channel.state !== "closed") return
    const { document } = record
    const repairs = record.repair !== undefined && record.held
    // A repair wants all that the node lacks: nothing counts as being on its way, and the node
    // has to read the document and say its summary.
    const outgoing = repairs ? [] : this.#outbox.updatesOf(document)
    const channel = this.table.open(record, outgoing)
    const resume: Resume = repairs ? { type: "nothing" } : this.table.resumeOf(record)
    // A node of version 1 knows of the first alone, and takes nothing else for that.
    const generation = peer.version < 2 && record.generation === 1 ? 0 : record.generation
    const frame = encodeOpen({ type: "open", channel, document, generation, resume })
    effects.push({ type: "send", socket: peer.socket, frame })
    record.presence.renew()
  }

  #leave(record: DocumentRecord, nowMs: Millis, effects: ClientEffect[]): void {
    const { channel } = record
    if (channel.state === "closed" || this.#peer === undefined) return
    const frame = encodeCloseDocument({ type: "close-document", channel: channel.channel })
    effects.push({ type: "send", socket: this.#peer.socket, frame })
    this.#forgetOthers(record, effects)
    this.table.close(record, undefined, nowMs)
  }

  /** The catch-up is complete. Gives what the node had, and what was on its way to it. */
  #live(
    record: DocumentRecord,
    origin: OriginId,
  ): { readonly summary: Uint8Array; readonly outgoing: readonly Uint8Array[] } | undefined {
    if (record.channel.state !== "catching-up") return undefined
    const { channel, handle, markSeq, summary, outgoing } = record.channel
    record.channel = { state: "live", channel, handle }
    if (record.held && !record.broken) {
      record.freshness = { state: "live" }
      if (markSeq > 0) record.resume?.raise(origin, markSeq)
    }
    this.#backOff.reset()
    this.#touched.add(record.document)
    return { summary, outgoing }
  }

  #raise(record: DocumentRecord, seq: number): boolean {
    if (this.#peer === undefined || record.resume === undefined) return false
    if (!record.held || record.broken || record.resume.get(this.#peer.origin) >= seq) return false
    record.resume.raise(this.#peer.origin, seq)
    return true
  }

  #forgetOthers(record: DocumentRecord, effects: ClientEffect[]): void {
    const entries = record.presence.forgetOthers()
    if (entries.length === 0 || !record.held) return
    effects.push({ type: "presence", document: record.document, entries })
  }
}

/** Moves the resume point. A vector that says nothing yet is no better than what is known. */
function advance(record: DocumentRecord, { complete, resume }: Updates): boolean {
  if (record.resume === undefined) {
    if (!complete && resume.size === 0) return true
    const { base } = record
    record.resume = base.type === "vector" ? base.vector.clone() : new VersionVector()
  }
  record.resume.raiseAll(resume)
  return record.resume.size <= limits.originsMax
}
