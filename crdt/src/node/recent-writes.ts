/**
 * What became durable within the last `partitionRecentMs`, as dots and documents: when a peer turns
 * out to be lost, which is noticed late, these may be what it never got. Bounded in time and count;
 * past `partitionRecentEntriesMax` the oldest are forgotten, and whoever asks is told.
 */
import { limits } from "../base/index.ts"
import type { DocumentId, Millis, OriginId } from "../base/index.ts"
import type { Dot } from "../clock/index.ts"

/** Updates that became durable together: the one of `documents[i]` is entry `firstSeq + i`. */
export type DurableRun = {
  readonly origin: OriginId
  readonly firstSeq: number
  readonly documents: readonly DocumentId[]
  /** Of the updates themselves. */
  readonly bytes: number
}

type DurableUpdate = {
  readonly dot: Dot | undefined
  readonly document: DocumentId
  readonly body: Uint8Array
}

/** What follows on each other in one origin is one run. O(updates). */
export function runsOf(updates: readonly DurableUpdate[]): DurableRun[] {
  const runs: DurableRun[] = []
  let open:
    | { origin: OriginId; firstSeq: number; documents: DocumentId[]; bytes: number }
    | undefined
  for (const { dot, document, body } of updates) {
    if (dot === undefined) continue
    const { origin, seq } = dot
    if (open?.origin !== origin || seq !== open.firstSeq + open.documents.length) {
      open = { origin, firstSeq: seq, documents: [], bytes: 0 }
      runs.push(open)
    }
    open.documents.push(document)
    open.bytes += body.length
  }
  return runs
}

type Kept = DurableRun & { readonly atMs: Millis }

export class RecentWrites {
  #kept: Kept[] = []
  /** Index of the oldest; what stands before it is over. */
  #first = 0
  #entries = 0
  /** The youngest that was forgotten before its time. */
  #forgottenMs: Millis = -Infinity

  add(run: DurableRun, nowMs: Millis): void {
    this.#kept.push({ ...run, atMs: nowMs })
    this.#entries += run.documents.length
    this.#expire(nowMs)
  }

  #expire(nowMs: Millis): void {
    for (let oldest = this.#kept[this.#first]; oldest !== undefined;) {
      const isOld = nowMs - oldest.atMs > limits.partitionRecentMs
      if (!isOld && this.#entries <= limits.partitionRecentEntriesMax) break
      if (!isOld) this.#forgottenMs = oldest.atMs
      this.#entries -= oldest.documents.length
      this.#first += 1
      oldest = this.#kept[this.#first]
    }
    if (this.#first * 2 <= this.#kept.length) return
    this.#kept = this.#kept.slice(this.#first)
    this.#first = 0
  }

  /** All that is kept, oldest first. */
  *since(fromMs: Millis): Iterable<DurableRun> {
    for (let index = this.#first; index < this.#kept.length; index++) {
      const run = this.#kept[index]
      if (run !== undefined && run.atMs >= fromMs) yield run
    }
  }

  /** Whether nothing that became durable at `fromMs` or later is forgotten. */
  isCompleteSince(fromMs: Millis, nowMs: Millis): boolean {
    return this.#forgottenMs < fromMs && nowMs - fromMs <= limits.partitionRecentMs
  }

  clear(): void {
    this.#kept = []
    this.#first = 0
    this.#entries = 0
  }
}
