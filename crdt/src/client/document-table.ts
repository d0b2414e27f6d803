/**
 * The documents this client has to do with: held by the app, or only still with pending updates.
 * Channels are the connection's numbers for them, given here and never reused on it [N3]; handles
 * are the node's. A channel's state is a union replaced whole.
 */
import { assert } from "../base/index.ts"
import type { DocumentId, Millis } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import type { Access, Resume } from "../protocol/index.ts"
import { PresenceTable } from "./presence-table.ts"
import type { DocumentError, Freshness } from "./status.ts"

type Channel =
  /**
   * `markSeq`: the highest ack mark so far, held back until the catch-up is complete [C5].
   * `outgoing`: own updates that may be missing from the summary only because they are on their
   * way.
   */
  | {
      readonly state: "opening"
      readonly channel: number
      readonly markSeq: number
      readonly outgoing: Uint8Array[]
    }
  | {
      readonly state: "catching-up"
      readonly channel: number
      readonly handle: number
      readonly markSeq: number
      readonly outgoing: Uint8Array[]
      readonly summary: Uint8Array
    }
  | { readonly state: "live"; readonly channel: number; readonly handle: number }
  /** Not open on this connection. `reopenAtMs`: the node could not serve it; undefined: wait. */
  | { readonly state: "closed"; readonly reopenAtMs: Millis | undefined }

export type DocumentRecord = {
  readonly document: DocumentId
  /** Which one of its name the replica is of; 0: not known yet. Rule [R7]. */
  generation: number
  held: boolean
  /** What the replica had when the app opened the document: true for ever, if not the most. */
  base: Resume
  /** What the replica has by now; undefined while only `base` is known. */
  resume: VersionVector | undefined
  /** By which `caught-up` the replica has everything; to be compared with the last one. */
  covered: VersionVector | undefined
  channel: Channel
  freshness: Freshness
  access: Access | undefined
  error: DocumentError | undefined
  /** The replica refused an update: nothing more is delivered on this connection. */
  broken: boolean
  /** An update that the node refused for want of its predecessors, so many times. */
  repair: { readonly seq: number; readonly attempts: number } | undefined
  /** Updates of this very replica that were rejected: what it shows is not what nodes get. */
  refused: Map<number, DocumentError>
  /** A node has opened the document, or acked an update of it. */
  reached: boolean
  /** Its highest number that a node acked; undefined: not looked at yet. */
  lastSeq: number | undefined
  presence: PresenceTable
}

export class DocumentTable {
  readonly #records = new Map<DocumentId, DocumentRecord>()
  readonly #byChannel = new Map<number, DocumentRecord>()
  readonly #byHandle = new Map<number, DocumentRecord>()
  #lastChannel = 0
  /**
   * A document that is closed and opened again has the same presence client, and who heard of it
   * before ignores lower clocks, stock clients for as long as they live.
   */
  #lastPresenceClock = 0

  get(document: DocumentId): DocumentRecord | undefined {
    return this.#records.get(document)
  }

  /** In the order they were met. */
  all(): Iterable<DocumentRecord> {
    return this.#records.values()
  }

  get openCount(): number {
    return this.#byChannel.size
  }

  take(document: DocumentId): DocumentRecord {
    const known = this.#records.get(document)
    if (known !== undefined) return known
    const record: DocumentRecord = {
      document,
      generation: 0,
      held: false,
      base: { type: "nothing" },
      resume: undefined,
      covered: undefined,
      channel: { state: "closed", reopenAtMs: undefined },
      freshness: { state: "unknown" },
      access: undefined,
      error: undefined,
      broken: false,
      repair: undefined,
      refused: new Map<number, DocumentError>(),
      reached: false,
      lastSeq: undefined,
      presence: new PresenceTable(this.#lastPresenceClock),
    }
    this.#records.set(document, record)
    return record
  }

  delete(record: DocumentRecord): void {
    assert(record.channel.state === "closed", "deleted an open document")
    this.#records.delete(record.document)
    this.#lastPresenceClock = Math.max(this.#lastPresenceClock, record.presence.lastClock)
  }

  byChannel(channel: number): DocumentRecord | undefined {
    return this.#byChannel.get(channel)
  }

  byHandle(handle: number): DocumentRecord | undefined {
    return this.#byHandle.get(handle)
  }

  wasChannel(channel: number): boolean {
    return channel >= 1 && channel <= this.#lastChannel
  }

  /** Gives the document a channel on this connection. */
  open(record: DocumentRecord, outgoing: Uint8Array[]): number {
    assert(record.channel.state === "closed", "opened twice")
    this.#lastChannel += 1
    const channel = this.#lastChannel
    record.channel = { state: "opening", channel, markSeq: 0, outgoing }
    this.#byChannel.set(channel, record)
    return channel
  }

  opened(record: DocumentRecord, handle: number, summary: Uint8Array): void {
    assert(record.channel.state === "opening", "opened without open")
    record.channel = { ...record.channel, state: "catching-up", handle, summary }
    this.#byHandle.set(handle, record)
  }

  close(record: DocumentRecord, reopenAtMs: Millis | undefined, nowMs: Millis): void {
    const { channel } = record
    if (channel.state !== "closed") this.#byChannel.delete(channel.channel)
    if ("handle" in channel) this.#byHandle.delete(channel.handle)
    record.channel = { state: "closed", reopenAtMs }
    record.access = undefined
    if (record.freshness.state === "live") record.freshness = { state: "stale", sinceMs: nowMs }
  }

  /** The connection is gone; numbers start anew on the next. */
  disconnected(nowMs: Millis): void {
    for (const record of this.#records.values()) this.close(record, undefined, nowMs)
    this.#lastChannel = 0
  }

  /** What to state as the resume point. */
  resumeOf(record: DocumentRecord): Resume {
    if (record.resume === undefined) return record.base
    return { type: "vector", vector: record.resume.clone() }
  }
}
