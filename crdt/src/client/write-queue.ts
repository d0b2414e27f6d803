/**
 * Writes on their way to storage: one batch under way, the next one fills meanwhile. A batch
 * that failed is written again, with what came since, until it works; order never changes.
 */
import { assert, limits } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import type { StorageResult, StorageWrite } from "../ports/index.ts"
import { clientLimits } from "./client-limits.ts"
import type { ClientEffect } from "./effect.ts"

export class WriteQueue {
  #waiting: StorageWrite[] = []
  #underWay: readonly StorageWrite[] | undefined
  /** Updates on their way to the shelf of rejected ones. */
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

  /** While true, what was refused may be in no storage but the outbox. */
  get shelving(): boolean {
    return this.#shelving > 0
  }

  get retryAtMs(): Millis | undefined {
    return this.#underWay === undefined ? this.#retryAtMs : undefined
  }

  push(write: StorageWrite): void {
    this.#dropOlder(write)
    this.#waiting.push(write)
    this.#pushed += 1
    if (write.type === "rejected-add") this.#shelving += 1
  }

  /** Of writes that say all there is to say the last will do. */
  #dropOlder(write: StorageWrite): void {
    if (!isSummary(write)) return
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      const older = this.#waiting[index]
      if (older === undefined || !isSummary(older)) return
      if (older.type !== write.type) continue
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
    effects.push({ type: "store", writes: this.#underWay })
  }

  /** The batch under way is done. Gives the highest update number that is stored by it, or 0. */
  done(result: StorageResult, nowMs: Millis): number {
    const writes = this.#underWay
    assert(writes !== undefined, "stored without a store")
    this.#underWay = undefined
    if (!result.ok) {
      this.#waiting = [...writes, ...this.#waiting]
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
      if (write.type === "rejected-add") this.#shelving -= 1
      if (write.type === "outbox-add" || write.type === "rejected-add")
        highest = Math.max(highest, write.update.seq)
    }
    return highest
  }
}

function isSummary({ type }: StorageWrite): boolean {
  return type === "outbox-trim" || type === "tiers"
}
