/**
 * The outbox: every update this client made that no node has acked, numbered without a gap over
 * all documents. A number whose update was rejected for good is *void*: it is sent as an empty
 * update when the sequence has to be gone through again, because a node takes only the next
 * number [N5]. Only what is in storage is sent [C1], in order [C2], within the window [C6].
 */
import { assert, limits } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import type { StoredClient, StoredUpdate } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"

const nothing = new Uint8Array(0)

export type OutboxFrame = {
  readonly document: DocumentId
  readonly seq: number
  readonly updates: readonly Uint8Array[]
}

export class Outbox {
  /** By seq, in order of seq. */
  readonly #entries = new Map<number, StoredUpdate>()
  /** What was typed, of those that are sent with other bytes on this connection. */
  readonly #originals = new Map<number, StoredUpdate>()
  readonly #byDocument = new Map<DocumentId, Set<number>>()
  readonly #lastByDocument = new Map<DocumentId, number>()
  #nextSeq: number
  #storedSeq: number
  /** The next to send on this connection. */
  #cursor: number
  /** The highest ever sent, as far as is known: before a restart anything may have been. */
  #sentSeq: number
  /** The lowest number that the node was told of in this connection's `hello`. */
  #greetedSeq = 1
  /** Of these a node has logged what comes before, it was not heard in which generation. */
  readonly #met = new Set<DocumentId>()
  /** Numbers that are not in storage, and that no replica begins with until they are. [H2] */
  readonly #withheld = new Set<number>()
  #bytes = 0
  #underWayBytes = 0

  constructor(stored: Pick<StoredClient, "outbox" | "nextSeq">) {
    for (const update of stored.outbox) this.#put(update)
    this.#nextSeq = stored.nextSeq
    this.#storedSeq = stored.nextSeq - 1
    this.#sentSeq = stored.nextSeq - 1
    this.#cursor = this.firstPending
    for (const seq of this.#entries.keys()) assert(seq < this.#nextSeq, "outbox past its next seq")
  }

  get count(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get nextSeq(): number {
    return this.#nextSeq
  }

  get storedSeq(): number {
    return this.#storedSeq
  }

  /** No node can have logged a number above this one. */
  get sentSeq(): number {
    return Math.max(this.#sentSeq, this.firstPending - 1)
  }

  /** The next number to be sent on this connection: everything below is under way or done. */
  get cursor(): number {
    return this.#cursor
  }

  /** The lowest number that is still wanted by someone; the next to give if there is none. */
  get firstPending(): number {
    for (const seq of this.#entries.keys()) return seq
    return this.#nextSeq
  }

  /** The lowest number that this connection may begin with, for its `hello`. */
  greet(): number {
    this.#greetedSeq = this.firstPending
    return this.#greetedSeq
  }

  get(seq: number): StoredUpdate | undefined {
    return this.#entries.get(seq)
  }

  /** Documents with pending updates, in the order of their oldest. */
  documents(): DocumentId[] {
    const found = new Set<DocumentId>()
    for (const { document } of this.#entries.values()) {
      found.add(document)
      if (found.size === this.#byDocument.size) break
    }
    return [...found]
  }

  /** Numbers of the document's pending updates, in order. */
  seqsOf(document: DocumentId): readonly number[] {
    return [...(this.#byDocument.get(document) ?? [])]
  }

  countOf(document: DocumentId): number {
    return this.#byDocument.get(document)?.size ?? 0
  }

  firstOf(document: DocumentId): number | undefined {
    for (const seq of this.#byDocument.get(document) ?? []) return seq
    return undefined
  }

  /** The document's highest number, or that of a rejected update above it. */
  lastOf(document: DocumentId): number | undefined {
    return this.#lastByDocument.get(document)
  }

  /** The last generation that any of the document's pending updates is of; 0 if none says so. */
  generationOf(document: DocumentId): number {
    let generation = this.#met.has(document) ? 1 : 0
    for (const seq of this.#byDocument.get(document) ?? []) {
      generation = Math.max(generation, this.#entries.get(seq)?.generation ?? 0)
    }
    return generation
  }

  /** `withheld`: of those alone that are, or are not. */
  updatesOf(document: DocumentId, withheld?: boolean): Uint8Array[] {
    return this.seqsOf(document)
      .filter((seq) => withheld === undefined || this.#withheld.has(seq) === withheld)
      .map((seq) => this.#entries.get(seq)?.bytes ?? nothing)
  }

  /** No replica begins with it until it is in storage. */
  withhold(seq: number): void {
    this.#withheld.add(seq)
  }

  add(document: DocumentId, generation: number, bytes: Uint8Array): StoredUpdate {
    const update = { seq: this.#nextSeq, document, generation, bytes }
    this.#nextSeq += 1
    this.#put(update)
    return update
  }

  stored(seq: number): void {
    assert(seq < this.#nextSeq, "stored what was never added")
    this.#storedSeq = Math.max(this.#storedSeq, seq)
    for (const each of this.#withheld) if (each <= seq) this.#withheld.delete(each)
  }

  /** A connection whose node has logged everything up to `loggedSeq` begins. */
  connected(loggedSeq: number): StoredUpdate[] {
    assert(loggedSeq <= this.sentSeq, "logged what was never sent")
    const removed = this.#removeTo(loggedSeq)
    for (const { document, generation } of removed) {
      if (generation === 0 && this.countOf(document) > 0) this.#met.add(document)
    }
    for (const { seq, bytes } of this.#originals.values()) this.#set(seq, bytes)
    this.#originals.clear()
    // Not the first pending: numbers may have become void since `hello`, and the node wants each.
    this.#cursor = Math.max(loggedSeq + 1, this.#greetedSeq)
    this.#underWayBytes = 0
    return removed
  }

  /** Every update up to `seq`, all of them under way, is done. */
  acked(seq: number): StoredUpdate[] {
    assert(seq < this.#cursor, "acked what is not under way")
    return this.#removeTo(seq)
  }

  /** Takes one update out for good; its number becomes void. */
  remove(seq: number): StoredUpdate | undefined {
    const update = this.#entries.get(seq)
    if (update === undefined) return undefined
    this.#entries.delete(seq)
    this.#bytes -= update.bytes.length
    if (seq < this.#cursor) this.#underWayBytes -= update.bytes.length
    const seqs = this.#byDocument.get(update.document)
    seqs?.delete(seq)
    if (seqs?.size === 0) {
      this.#byDocument.delete(update.document)
      this.#met.delete(update.document)
      this.#lastByDocument.delete(update.document)
    }
    const original = this.#originals.get(seq) ?? update
    this.#originals.delete(seq)
    return original
  }

  /** Sends again from `seq`. */
  rewind(seq: number): void {
    for (let back = seq; back < this.#cursor; back++) {
      this.#underWayBytes -= this.#entries.get(back)?.bytes.length ?? 0
    }
    this.#cursor = Math.min(this.#cursor, seq)
  }

  /** Other bytes for an update that is not under way; for this node they do what it does. */
  replace(seq: number, bytes: Uint8Array): void {
    const update = this.#entries.get(seq)
    if (update === undefined) return
    assert(seq >= this.#cursor, "replaced what is under way")
    this.#originals.set(seq, this.#originals.get(seq) ?? update)
    this.#set(seq, bytes)
  }

  #set(seq: number, bytes: Uint8Array): void {
    const update = this.#entries.get(seq)
    if (update === undefined) return
    this.#bytes += bytes.length - update.bytes.length
    this.#entries.set(seq, { ...update, bytes })
  }

  /** The next real update to send, void numbers skipped. */
  upcoming(): StoredUpdate | undefined {
    for (let seq = this.#cursor; seq <= this.#storedSeq; seq++) {
      const update = this.#entries.get(seq)
      if (update !== undefined) return update
    }
    return undefined
  }

  /** The next frame: consecutive numbers of one document, as many as fit; undefined if none. */
  take(windowBytes: number): OutboxFrame | undefined {
    const first = this.upcoming()
    if (first === undefined) return undefined
    const seq = this.#cursor
    const updates: Uint8Array[] = []
    let frameBytes = 0
    const end = Math.min(this.#storedSeq + 1, this.firstPending + clientLimits.updatesUnderWayMax)
    while (this.#cursor < end && updates.length < limits.updatesPerFrameMax) {
      const update = this.#entries.get(this.#cursor)
      if (update !== undefined && update.document !== first.document) break
      const bytes = update?.bytes ?? nothing
      const full = frameBytes > 0 && frameBytes + bytes.length > limits.clientFrameBytes
      const room = this.#underWayBytes === 0 || this.#underWayBytes + bytes.length <= windowBytes
      if (full || !room) break
      updates.push(bytes)
      frameBytes += bytes.length
      this.#underWayBytes += bytes.length
      this.#cursor += 1
    }
    this.#sentSeq = Math.max(this.#sentSeq, this.#cursor - 1)
    return updates.length === 0 ? undefined : { document: first.document, seq, updates }
  }

  #put(update: StoredUpdate): void {
    this.#entries.set(update.seq, update)
    this.#bytes += update.bytes.length
    this.#lastByDocument.set(update.document, update.seq)
    const seqs = this.#byDocument.get(update.document)
    if (seqs === undefined) this.#byDocument.set(update.document, new Set([update.seq]))
    else seqs.add(update.seq)
  }

  #removeTo(seq: number): StoredUpdate[] {
    const removed: StoredUpdate[] = []
    for (const update of this.#entries.values()) {
      if (update.seq > seq) break
      removed.push(update)
    }
    return removed.flatMap((update) => {
      const original = this.remove(update.seq)
      // Sent with other bytes: the node has those, and the typed ones are in them or wait for them.
      return original === undefined || original === update ? [update] : [update, original]
    })
  }
}
