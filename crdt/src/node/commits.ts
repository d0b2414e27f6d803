/**
 * Commit batches. At most one append is under way; what arrives meanwhile fills the next batch
 * (group commit), and of what peers send the batches behind it. After a quiet time `commitBurst`
 * commits may start at once, under load they start `commitPaceMs` apart, and `adoptPaceMs` if they
 * bring only a few entries of peers. A failed append fails the
 * batches that waited behind it too, because their writes follow on those that failed. While the
 * store fails, writes are refused and an empty append tries it again. Rules [D4] [D5] [D6] [L16].
 */
import { assert, limits } from "../base/index.ts"
import type { ConnectionId, DocumentId, Millis } from "../base/index.ts"
import type { UpdateFacts } from "../engines/index.ts"
import type { LogRun, RecordFields } from "../log/index.ts"
import type { AppendBatch, AppendResult } from "../ports/index.ts"
import type { Turn } from "./turn.ts"

/** A client's update on its way to the log. */
export type OwnWrite = {
  readonly connection: ConnectionId
  /** The native channel it came on; 0 for stock clients. */
  readonly channel: number
  /** The client's number for it; undefined for stock clients. */
  readonly clientSeq: number | undefined
  readonly document: DocumentId
  readonly record: Uint8Array
  readonly body: Uint8Array
  readonly facts: UpdateFacts
}

/** A peer's run, and what its records say. */
type AdoptedRun = LogRun & { readonly fields: readonly RecordFields[] }

/** What is written of the log itself and not by anybody: snapshots, floors, leaves, notes. */
export type Maintenance = {
  readonly work: Omit<AppendBatch, "own" | "adopted">
  readonly done: (turn: Turn, result: AppendResult) => void
}

export type Batch = {
  /** It travels alone, so that what is wrong with it loses nobody's write. */
  readonly maintenance: Maintenance | undefined
  readonly own: OwnWrite[]
  /** The cluster's own records that this node logs; their seqs follow those of `own`. */
  readonly cluster: Uint8Array[]
  readonly adopted: AdoptedRun[]
  /** Called when nothing that was accepted before them is undecided any more. */
  readonly afterwards: ((turn: Turn) => void)[]
  entries: number
  bytes: number
  adoptedEntries: number
  adoptedBytes: number
}

type Store = { state: "ok" } | { state: "failing"; retryAtMs: Millis; retryMs: number }

export type Outcome =
  | { readonly type: "committed"; readonly batch: Batch; readonly firstSeq: number }
  | { readonly type: "failed"; readonly lost: Batch[]; readonly code: string }

/** What says something of the batch, and nothing of the store. */
const refusals: ReadonlySet<string> = new Set(["refused", "unreadable"])

function emptyBatch(maintenance?: Maintenance): Batch {
  return {
    maintenance,
    own: [],
    cluster: [],
    adopted: [],
    afterwards: [],
    entries: 0,
    bytes: 0,
    adoptedEntries: 0,
    adoptedBytes: 0,
  }
}

/** All that a batch logs under the own origin, in order. */
export function ownRecords({ own, cluster }: Batch): Uint8Array[] {
  return [...own.map((write) => write.record), ...cluster]
}

export class Commits {
  #open = emptyBatch()
  /** Runs that have no room in the open batch; empty if that is. */
  #later: Batch[] = []
  #underWay: { id: number; batch: Batch; startedMs: Millis } | undefined
  #nextId = 1
  /** Each start moves it on by the pace, from now at least: how far ahead it is, is the load. */
  #pacedToMs: Millis = -Infinity
  /** The same of commits that bring only what peers sent. */
  #adoptPacedToMs: Millis = -Infinity
  #store: Store = { state: "ok" }
  /** At most one of each kind of work: nobody asks for the next before the last is done. */
  readonly #maintenance: Maintenance[] = []
  #isMaintenanceNext = false

  get storeState(): "ok" | "failing" {
    return this.#store.state
  }

  /** Whether a write of `bytes` may join the open batch now. */
  admits(bytes: number): "ok" | "overloaded" | "store-failed" {
    if (this.#store.state === "failing") return "store-failed"
    const full =
      this.#open.entries >= limits.openBatchEntriesMax ||
      this.#open.bytes + bytes > limits.openBatchBytesMax
    return full ? "overloaded" : "ok"
  }

  add(write: OwnWrite): void {
    assert(this.admits(write.record.length) === "ok", "write not admitted")
    this.#open.own.push(write)
    this.#open.entries += 1
    this.#open.bytes += write.record.length
  }

  /** A record of no document. What it is for must bear its loss: `afterwards` tells nothing. */
  log(record: Uint8Array): void {
    assert(this.admits(record.length) === "ok", "record not admitted")
    this.#open.cluster.push(record)
    this.#open.entries += 1
    this.#open.bytes += record.length
  }

  /** Whether a peer's run may wait for the log too. */
  admitsRun(entries: number, bytes: number): boolean {
    if (this.#store.state === "failing") return false
    const waiting = this.#adoptedWaiting()
    return (
      waiting.entries + entries <= limits.adoptedWaitingEntriesMax &&
      waiting.bytes + bytes <= limits.adoptedWaitingBytesMax
    )
  }

  /** Whether so few runs wait that peers may send what had no room. */
  get hasRoomForRuns(): boolean {
    return this.admitsRun(limits.adoptedWaitingEntriesMax / 2, limits.adoptedWaitingBytesMax / 2)
  }

  #adoptedWaiting(): { readonly entries: number; readonly bytes: number } {
    let [entries, bytes] = [this.#open.adoptedEntries, this.#open.adoptedBytes]
    for (const batch of this.#later) {
      entries += batch.adoptedEntries
      bytes += batch.adoptedBytes
    }
    return { entries, bytes }
  }

  adopt(run: AdoptedRun, bytes: number): void {
    const { length } = run.records
    assert(this.admitsRun(length, bytes), "run not admitted")
    const last = this.#later.at(-1) ?? this.#open
    const fits =
      last.adoptedEntries + length <= limits.adoptedBatchEntriesMax &&
      last.entries + length <= limits.openBatchEntriesMax &&
      last.bytes + bytes <= limits.openBatchBytesMax
    const batch = fits || last.entries === 0 ? last : emptyBatch()
    if (batch !== last) this.#later.push(batch)
    batch.adopted.push(run)
    batch.entries += length
    batch.bytes += bytes
    batch.adoptedEntries += length
    batch.adoptedBytes += bytes
  }

  /** Peers have what waits behind the open batch: a node that ends does without. */
  dropLater(): void {
    this.#later = []
  }

  /**
   * Writes it when no batch is due, or after the next one. `refused` is no failure of the store.
   */
  maintain(maintenance: Maintenance): void {
    this.#maintenance.push(maintenance)
  }

  /** Calls back once every write of this node's accepted so far is durable or has failed. */
  afterwards(turn: Turn, callback: (turn: Turn) => void): void {
    this.#after(turn, this.#open, callback)
  }

  /** The same of what was adopted so far, too. */
  afterAll(turn: Turn, callback: (turn: Turn) => void): void {
    this.#after(turn, this.#later.at(-1) ?? this.#open, callback)
  }

  #after(turn: Turn, last: Batch, callback: (turn: Turn) => void): void {
    if (last.entries > 0) last.afterwards.push(callback)
    else if (this.#underWay === undefined) callback(turn)
    else this.#underWay.batch.afterwards.push(callback)
  }

  /** Starts the next append if there is one and its time has come. */
  pump(turn: Turn): void {
    if (this.#underWay !== undefined) return
    if (this.#store.state === "failing") {
      if (turn.nowMs >= this.#store.retryAtMs) this.#start(turn)
      return
    }
    const [maintenance] = this.#maintenance
    const isDue = this.#open.entries > 0 && turn.nowMs >= this.#dueMs()
    if (maintenance !== undefined && (!isDue || this.#isMaintenanceNext)) {
      this.#maintenance.shift()
      this.#isMaintenanceNext = false
      this.#append(turn, emptyBatch(maintenance))
    } else if (isDue) this.#start(turn)
  }

  /** When the pace allows the next start. */
  #dueMs(): Millis {
    const dueMs = this.#pacedToMs - limits.commitPaceMs * (limits.commitBurst - 1)
    if (!this.#isOnlyAdopted(this.#open)) return dueMs
    return Math.max(dueMs, this.#adoptPacedToMs - limits.adoptPaceMs * (limits.commitBurst - 1))
  }

  /** A few entries of peers, and nobody here waits for them. */
  #isOnlyAdopted({ entries, adoptedEntries, afterwards }: Batch): boolean {
    return entries === adoptedEntries && afterwards.length === 0 && this.#later.length === 0
  }

  #start(turn: Turn): void {
    const batch = this.#open
    if (this.#isOnlyAdopted(batch)) {
      this.#adoptPacedToMs = Math.max(this.#adoptPacedToMs, turn.nowMs) + limits.adoptPaceMs
    }
    this.#open = this.#later.shift() ?? emptyBatch()
    this.#pacedToMs = Math.max(this.#pacedToMs, turn.nowMs) + limits.commitPaceMs
    this.#isMaintenanceNext = true
    this.#append(turn, batch)
  }

  #append(turn: Turn, batch: Batch): void {
    const id = this.#nextId++
    this.#underWay = { id, batch, startedMs: turn.nowMs }
    const entries = { ...batch.maintenance?.work, own: ownRecords(batch), adopted: batch.adopted }
    turn.push({ type: "append", batch: id, entries })
  }

  deadline(): Millis | undefined {
    if (this.#underWay !== undefined) return undefined
    if (this.#store.state === "failing") return this.#store.retryAtMs
    return this.#open.entries > 0 ? this.#dueMs() : undefined
  }

  onCommitted(turn: Turn, id: number, result: AppendResult): Outcome {
    const underWay = this.#underWay
    assert(underWay !== undefined && underWay.id === id, () => `unknown batch ${id}`)
    this.#underWay = undefined
    const { batch, startedMs } = underWay
    const isRefused = !result.ok && batch.maintenance !== undefined && refusals.has(result.code)
    if (isRefused) return { type: "committed", batch, firstSeq: 0 }
    if (!result.ok) return this.#fail(turn, batch, result.code, result.message)
    if (this.#store.state === "failing") {
      this.#store = { state: "ok" }
      turn.emit({ type: "store-recovered" })
    }
    if (batch.maintenance !== undefined) {
      return { type: "committed", batch, firstSeq: result.firstSeq }
    }
    turn.emit({
      type: "committed",
      own: batch.own.length + batch.cluster.length,
      adopted: batch.entries - batch.own.length - batch.cluster.length,
      bytes: batch.bytes,
      tookMs: turn.nowMs - startedMs,
    })
    return { type: "committed", batch, firstSeq: result.firstSeq }
  }

  #fail(turn: Turn, batch: Batch, code: string, message: string): Outcome {
    const doubled = this.#store.state === "failing" ? this.#store.retryMs * 2 : 0
    const retryMs = Math.min(Math.max(doubled, limits.storeRetryMsMin), limits.storeRetryMsMax)
    this.#store = { state: "failing", retryAtMs: turn.nowMs + retryMs, retryMs }
    turn.emit({ type: "store-failed", code, message })
    const lost = [batch, this.#open, ...this.#later]
    this.#open = emptyBatch()
    this.#later = []
    return { type: "failed", lost, code }
  }
}
