/**
 * Copies of documents in storage. A copy is what a node is known to have: what it delivered, and
 * own updates from when they leave the outbox as acked, in one order of writes, so that a resume
 * point is never in storage before what it covers [C5] [C8]. What was typed and is not acked stays
 * in the outbox alone: refused, it would spoil the copy. Storage that can't follow is caught up
 * with whole replicas later [C9].
 */
import type { DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { DocumentReadResult, StoredUpdate } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { DocumentRecord, DocumentTable } from "./document-table.ts"
import type { ClientEffect } from "./effect.ts"
import type { Outbox } from "./outbox.ts"
import { afterWrite } from "./stored-copy.ts"
import type { WriteQueue } from "./write-queue.ts"

/** How much a copy holds, as far as its rewriting goes. */
type Size = {
  /** Of the state it began with. */
  stateBytes: number
  appended: number
  appendedBytes: number
}

/** What an app that opens a document is to be shown, before anything comes from a node. */
export type Opening = {
  readonly generation: number
  /** What storage has, in the order in which it was written; then what is pending. */
  readonly stored: readonly Uint8Array[]
  readonly pending: readonly Uint8Array[]
  /** Also pending, and shown once it is in storage. [H2] */
  readonly withheld: readonly Uint8Array[]
  /** Undefined: nobody can say, and the replica's summary has to. */
  readonly resume: VersionVector | undefined
}

export type Pending = Pick<Opening, "pending" | "withheld">

export class Copies {
  readonly #writes: WriteQueue
  readonly #recordsMax: number
  /** Of documents that are held. */
  readonly #sizes = new Map<DocumentId, Size>()
  /** What storage was told last to be their resume points. */
  readonly #resumes = new Map<DocumentId, VersionVector>()
  /** Storage lacks something of these, and nothing more is written of them but all of them. */
  readonly #behind = new Set<DocumentId>()
  /** To be rewritten from their replicas. */
  readonly #due = new Set<DocumentId>()
  /** Nothing happened to them since they were asked for. */
  readonly #asked = new Set<DocumentId>()

  constructor(writes: WriteQueue, recordsMax: number) {
    this.#writes = writes
    this.#recordsMax = recordsMax
  }

  /** What storage gave for the document just now, with what is on its way there. */
  opening(
    document: DocumentId,
    read: DocumentReadResult,
    { generation, ...pending }: Pending & Pick<Opening, "generation">,
  ): Opening {
    let copy = read.ok ? read.stored : undefined
    for (const write of this.#writes.ofDocument(document)) {
      copy = afterWrite(copy, write)
    }
    // What is pending was typed in a later life of the name: the copy is of another document.
    if (copy !== undefined && copy.generation < generation) copy = undefined
    return {
      generation: copy?.generation ?? 0,
      stored: copy?.updates ?? [],
      ...pending,
      // What is on its way goes on from what can't be read.
      resume: read.ok ? copy?.resume : undefined,
    }
  }

  /** The app holds a replica that began with `updates` of storage. */
  held({ document, base }: DocumentRecord, updates: readonly Uint8Array[]): void {
    const [state, ...appended] = updates
    const appendedBytes = appended.reduce((bytes, update) => bytes + update.length, 0)
    const stateBytes = state?.length ?? 0
    const size = { stateBytes, appended: appended.length, appendedBytes }
    this.forget(document)
    this.#sizes.set(document, size)
    if (this.#isLong(size)) this.#due.add(document)
    if (base.type === "vector") this.#resumes.set(document, base.vector.clone())
  }

  /** Nobody holds the document any more. */
  forget(document: DocumentId): void {
    for (const part of [this.#sizes, this.#resumes, this.#behind, this.#due, this.#asked]) {
      part.delete(document)
    }
  }

  /** What the node sent, and how far it goes; or only how far. */
  delivered(record: DocumentRecord, updates: readonly Uint8Array[]): void {
    const { document, resume } = record
    if (updates.length === 0) {
      if (resume === undefined) return
      const known = this.#resumes.get(document)
      if (known !== undefined && known.coversAll(resume) && resume.coversAll(known)) return
    }
    if (resume !== undefined) this.#resumes.set(document, resume.clone())
    this.#append(record, updates, resume?.clone())
  }

  /** Left the outbox, as a node has them. The resume point follows when the node says so. */
  acked(document: DocumentId, record: DocumentRecord | undefined, updates: StoredUpdate[]): void {
    if (record?.error?.code === "document-deleted") return
    const last = updates.reduce((most, { generation }) => Math.max(most, generation), 1)
    const generation = record?.generation ?? last
    this.#append(
      { document, generation },
      updates.map(({ bytes }) => bytes),
      undefined,
    )
  }

  /** The replica refused what storage was given: storage can't say any more how far it goes. */
  doubt(record: DocumentRecord): void {
    this.#resumes.delete(record.document)
    this.#append(record, [], new VersionVector())
  }

  /** The generation is deleted, and nobody needs it to make sense of what was typed. [R7] */
  remove({ document, generation }: Pick<DocumentRecord, "document" | "generation">): void {
    this.#resumes.delete(document)
    if (generation > 0) this.#writes.push({ type: "document-remove", document, generation })
  }

  #append(
    { document, generation }: Pick<DocumentRecord, "document" | "generation">,
    updates: readonly Uint8Array[],
    resume: VersionVector | undefined,
  ): void {
    this.#asked.delete(document)
    if (this.#behind.has(document)) return
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    const waiting = this.#writes.documentBytes
    if (waiting > 0 && waiting + bytes > clientLimits.copyBytesWaitingMax) {
      this.#behind.add(document)
      this.#due.add(document)
      return
    }
    this.#writes.append({ type: "document-append", document, generation, updates, resume })
    const size = this.#sizes.get(document)
    if (size === undefined || updates.length === 0) return
    size.appended += 1
    size.appendedBytes += bytes
    if (this.#isLong(size)) this.#due.add(document)
  }

  #isLong({ stateBytes, appended, appendedBytes }: Size): boolean {
    const bytesMax = Math.max(clientLimits.compactBytesMin, stateBytes)
    return appended >= this.#recordsMax || appendedBytes >= bytesMax
  }

  /** Asks for replicas of documents that are to be rewritten, where they are what nodes have. */
  settle(table: DocumentTable, outbox: Outbox, effects: ClientEffect[]): void {
    if (this.#due.size === 0 || !this.#writes.healthy) return
    for (const document of this.#due) {
      if (this.#asked.has(document) || outbox.countOf(document) > 0) continue
      if (!canRewrite(table.get(document))) continue
      // What is on its way would be written behind the whole.
      if (this.#behind.has(document) && this.#writes.documentBytes > 0) continue
      this.#asked.add(document)
      effects.push({ type: "compact", document })
    }
  }

  /** The answer to `compact`; it is asked again if something happened since. */
  compacted(record: DocumentRecord, state: Uint8Array, pending: number): void {
    const { document, generation, base } = record
    if (!this.#asked.delete(document) || !canRewrite(record) || pending > 0) return
    const resume = record.resume ?? (base.type === "vector" ? base.vector : undefined)
    this.forget(document)
    if (resume !== undefined) this.#resumes.set(document, resume.clone())
    this.#sizes.set(document, { stateBytes: state.length, appended: 0, appendedBytes: 0 })
    const write = { document, generation, state, resume: resume?.clone() }
    this.#writes.push({ type: "document-replace", ...write })
  }
}

/** Whether the replica is what nodes have, and nothing that they refused. */
function canRewrite(record: DocumentRecord | undefined): record is DocumentRecord {
  if (record === undefined || !record.held || record.broken || record.generation < 1) return false
  if (record.refused.size > 0 || record.error?.code === "document-deleted") return false
  return record.resume !== undefined || record.base.type === "vector"
}
