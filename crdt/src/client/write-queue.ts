/**
 * Writes on their way to storage: one batch under way, the next one fills meanwhile. A batch
 * that failed is written again, with what came since, until it works; order never changes.
 */
import { assert, limits } from "../base/index.ts"
import type { DocumentId, Millis } from "../base/index.ts"
import type { StorageResult, StorageWrite } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"
import type { DocumentWrite } from "./stored-copy.ts"

type DocumentAppend = Extract<StorageWrite, { readonly type: "document-append" }>

export class WriteQueue {
  #waiting: StorageWrite[] = []
  /** Where in `#waiting` the last append of a document stands, while that can take more. */
  readonly #open = new Map<DocumentId, number>()
  #documentBytes = 0
  #underWay: readonly StorageWrite[] | undefined
  /** Writes by which updates leave the outbox for the shelf, or for good. */
  #shelving = 0
  #retryMs: number = limits.storeRetryMsMin
  #retryAtMs: Millis | undefined
  /** Writes so far, and how many of them are durable. */
  #pushed = 0
  #done = 0

  get healthy(): boolean {
    return this.#retryAtMs === undefined
  }

  get busy(): boolean {
    return this.#underWay !== undefined || this.#waiting.length > 0
  }

  /** While true, what was refused or discarded may be in storage as pending still. */
  get shelving(): boolean {
    return this.#shelving > 0
  }

  get retryAtMs(): Millis | undefined {
    return this.#underWay === undefined ? this.#retryAtMs : undefined
  }

  /** Bytes of documents that wait or are under way. */
  get documentBytes(): number {
    return this.#documentBytes
  }

  /** What waits or is under way of a document, in order. */
  *ofDocument(document: DocumentId): Generator<DocumentWrite> {
    for (const write of [...(this.#underWay ?? []), ...this.#waiting]) {
      if ("document" in write && write.document === document) yield write
    }
  }

  push(write: StorageWrite): void {
    this.#dropOlder(write)
    this.#waiting.push(write)
    this.#pushed += 1
    this.#documentBytes += documentBytesOf(write)
    if (isShelving(write)) this.#shelving += 1
    if ("document" in write) this.#open.delete(write.document)
  }

  /** Goes into the document's last append that waits: earlier than others, never later. */
  append(write: DocumentAppend): void {
    const index = this.#open.get(write.document)
    const last = index === undefined ? undefined : this.#waiting[index]
    const fits =
      index !== undefined &&
      last?.type === "document-append" &&
      last.document === write.document &&
      last.generation === write.generation &&
      last.updates.length + write.updates.length <= limits.updatesPerFrameMax
    if (!fits) {
      this.push(write)
      this.#open.set(write.document, this.#waiting.length - 1)
      return
    }
    const updates = [...last.updates, ...write.updates]
    this.#waiting[index] = { ...last, updates, resume: write.resume ?? last.resume }
    this.#documentBytes += documentBytesOf(write)
  }

  /** Of writes that say all there is to say the last will do. */
  #dropOlder(write: StorageWrite): void {
    if (!isSummary(write)) return
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      const older = this.#waiting[index]
      if (older === undefined || !isSummary(older)) return
      if (older.type !== write.type) continue
      // No append stands behind it.
      this.#waiting.splice(index, 1)
      this.#pushed -= 1
      return
    }
  }

  /** A point in the order of writes, to be asked about later; undefined if all is done. */
  mark(): number | undefined {
    return this.#pushed === this.#done ? undefined : this.#pushed
  }

  isDone(mark: number): boolean {
    return this.#done >= mark
  }

  /** Starts the next batch if none is under way and no retry is being waited for. */
  flush(nowMs: Millis, effects: ClientEffect[]): void {
    if (this.#underWay !== undefined || this.#waiting.length === 0) return
    if (this.#retryAtMs !== undefined && nowMs < this.#retryAtMs) return
    this.#underWay = this.#waiting.splice(0, clientLimits.storeWritesMax)
    this.#open.clear()
    effects.push({ type: "store", writes: this.#underWay })
  }

  /** The batch under way is done. Gives the highest update number that is stored by it, or 0. */
  done(result: StorageResult, nowMs: Millis): number {
    const writes = this.#underWay
    assert(writes !== undefined, "stored without a store")
    this.#underWay = undefined
    if (!result.ok) {
      this.#waiting = [...writes, ...this.#waiting]
      this.#open.clear()
      this.#retryAtMs = nowMs + this.#retryMs
      this.#retryMs = Math.min(this.#retryMs * 2, limits.storeRetryMsMax)
      return 0
    }
    this.#retryAtMs = undefined
    this.#retryMs = limits.storeRetryMsMin
    this.#done += writes.length
    let highest = 0
    // A rejected update's own add, if there was one, was pushed before: highest means all below.
    for (const write of writes) {
      this.#documentBytes -= documentBytesOf(write)
      if (isShelving(write)) this.#shelving -= 1
      if (write.type === "outbox-add" || write.type === "rejected-add")
        highest = Math.max(highest, write.update.seq)
    }
    return highest
  }
}

function documentBytesOf(write: StorageWrite): number {
  if (write.type === "document-replace") return write.state.length
  if (write.type !== "document-append") return 0
  return write.updates.reduce((bytes, update) => bytes + update.length, 0)
}

function isShelving(write: StorageWrite): boolean {
  return write.type === "rejected-add" || "discarded" in write
}

function isSummary({ type }: StorageWrite): boolean {
  return type === "outbox-trim" || type === "tiers"
}
