/**
 * Compaction: folds documents whose tails are long into snapshots, one at a time and off the main
 * thread, and moves floors over what is folded and held by every member that is known, or, past the
 * cap of the log's bytes, by this node alone. Nothing here is ever needed for an ack or a read, and
 * nothing is lost if it stops anywhere: a snapshot is durable, and was read back, before a floor
 * passes what it holds. Rules [K9]–[K12].
 */
import { assert, partsOfDocumentId } from "../base/index.ts"
import type { DocumentId, Millis, NodeId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { decodeRecord } from "../log/index.ts"
import type { Foldable, Head } from "../log/index.ts"
import type { AppendBatch, AppendResult, ReadResult } from "../ports/index.ts"
import type { Core } from "./core.ts"
import { Emptying } from "./emptying.ts"
import { partsOf, reachOf } from "./document-state.ts"
import type { DocumentRead } from "./document-state.ts"
import type { JobResult } from "./job.ts"
import type { Turn } from "./turn.ts"

export type CompactionLimits = {
  /** A tail of more entries, or more bytes, is folded if it has half of its snapshot's bytes. */
  readonly tailEntriesMax: number
  readonly tailBytesMax: number
  /** Past it the oldest documents in the log are folded, however short their tails. */
  readonly logBytesMax: number
  /** Floors over what is folded wait no longer than this for a member. */
  readonly logAgeMsMax: Millis
  /** Entries that one batch deletes of an origin. */
  readonly truncatedMax: number
}

export const compactionLimits: CompactionLimits = {
  tailEntriesMax: 256,
  tailBytesMax: 64 * 1024,
  logBytesMax: 1024 * 1024 * 1024,
  logAgeMsMax: 7 * 24 * 3_600_000,
  truncatedMax: 1024,
}

/** Documents whose tails are counted. Past it the least recently written starts anew. */
const tailsKnownMax = 16_384
/** Documents that wait to be folded. Past it they are asked again by the next update or look. */
const foldsWaitingMax = 256
/** How old an origin's entries are is looked at this often. */
const ageLookMs = 600_000
/** Floors that one batch moves. Past it: the next one. */
const floorsMovedMax = 16
/**
 * Bytes of snapshots that are read back before one batch moves floors over them. Past it floors
 * move as far as was read, and the next batch goes on.
 */
const readBackBytesMax = 4 * 1024 * 1024

export type CompactionConfig = Partial<CompactionLimits> & {
  /**
   * Whether floors past the log's cap pass what a member lacks, which then gets documents instead.
   * Default: they do.
   */
  readonly mayStrand?: boolean
}

/** What became durable of a document since it was folded, as far as this run knows. */
type Tail = { entries: number; bytes: number; snapshotBytes: number }

/** What a peer durably holds, if it is linked. */
type HeldBy = (node: NodeId) => ReadonlyMap<OriginId, Head> | undefined

export class Compaction {
  readonly #core: Core
  readonly #heldBy: HeldBy
  readonly #limits: CompactionLimits
  readonly #mayStrand: boolean
  /** The least recently written first. */
  readonly #tails = new Map<DocumentId, Tail>()
  /** Documents to fold; `forced` ones whatever their tails. */
  readonly #due = new Map<DocumentId, "forced" | "long">()
  #isFolding = false
  #isLooking = false
  /** What the last look said. */
  #isPastCap = false
  /** Where floors are. */
  readonly #floors: VersionVector
  /** When the age of an origin's entries is looked at again. */
  readonly #ageLooks = new Map<OriginId, Millis>()
  #isStopped = false
  readonly #emptying: Emptying

  constructor(core: Core, heldBy: HeldBy, { mayStrand = true, ...rest }: CompactionConfig = {}) {
    this.#core = core
    this.#emptying = new Emptying(core)
    this.#emptying.add(core.lives.deletedBefore)
    this.#heldBy = heldBy
    this.#limits = { ...compactionLimits, ...rest }
    this.#mayStrand = mayStrand
    const floors = core.config.floors ?? []
    this.#floors = new VersionVector(floors.map(([origin, { seq }]) => [origin, seq]))
  }

  /** A state transfer moved heads, and floors with them. */
  onRaised(raise: readonly (readonly [OriginId, Head])[]): void {
    for (const [origin, { seq }] of raise) this.#floors.raise(origin, seq)
  }

  /** These became durable. O(updates). */
  onDurable(
    turn: Turn,
    updates: readonly { readonly document: DocumentId; readonly body: Uint8Array }[],
  ): void {
    for (const { document, body } of updates) {
      const tail = this.#tails.get(document) ?? { entries: 0, bytes: 0, snapshotBytes: 0 }
      tail.entries += 1
      tail.bytes += body.length
      this.#tails.delete(document)
      this.#tails.set(document, tail)
      if (this.#isLong(tail)) this.#ask(document, "long")
    }
    this.#forgetTails()
    this.#fold(turn)
    this.#emptying.onDurable(turn, updates)
  }

  /** Of these nothing is shown any more: what they take is given back. Rule [R9]. */
  onDeleted(turn: Turn, documents: readonly DocumentId[]): void {
    this.#emptying.add(documents)
    this.#emptying.pump(turn)
  }

  #forgetTails(): void {
    for (const document of this.#tails.keys()) {
      if (this.#tails.size <= tailsKnownMax) return
      this.#tails.delete(document)
    }
  }

  /** Past the bound it is asked again by the next update, or found by a later look. */
  #ask(document: DocumentId, why: "forced" | "long"): void {
    if (this.#due.size < foldsWaitingMax) this.#due.set(document, why)
  }

  #isLong({ entries, bytes, snapshotBytes }: Tail): boolean {
    const { tailEntriesMax, tailBytesMax } = this.#limits
    return (entries > tailEntriesMax || bytes > tailBytesMax) && bytes > snapshotBytes / 2
  }

  /** No new work: the core ends. */
  stop(): void {
    this.#isStopped = true
    this.#emptying.stop()
  }

  sweep(turn: Turn): void {
    this.#fold(turn)
    this.#emptying.pump(turn)
    this.#look(turn)
  }

  #isIdle(): boolean {
    return !this.#isStopped && this.#core.commits.storeState === "ok"
  }

  #fold(turn: Turn): void {
    if (this.#isFolding || !this.#isIdle()) return
    const [next] = this.#due
    if (next === undefined) return
    const [document, why] = next
    this.#due.delete(document)
    this.#isFolding = true
    const query = { type: "document", document, since: new VersionVector() } as const
    this.#core.reads.queue(turn, this, query, (later, result) => {
      if (result.type === "document") this.#compact(later, document, why, result)
      else this.#foldNext(later)
    })
  }

  #foldNext(turn: Turn): void {
    this.#isFolding = false
    this.#fold(turn)
  }

  #compact(turn: Turn, document: DocumentId, why: "forced" | "long", read: DocumentRead): void {
    const tail = tailOf(read)
    this.#tails.set(document, tail)
    const isLiving = !this.#core.lives.isDeleted(document)
    const isWorth = isLiving && tail.entries > 0 && (why === "forced" || this.#isLong(tail))
    if (!isWorth || this.#isStopped) return this.#foldNext(turn)
    const { engine } = partsOfDocumentId(document)
    const work = { type: "compact", engine, parts: partsOf(read) } as const
    this.#core.jobs.start(turn, work, (later, result) => {
      this.#onCompacted(later, document, read, result)
    })
    return undefined
  }

  /** What an engine can't read stays in the log: a later version may. */
  #onCompacted(turn: Turn, document: DocumentId, read: DocumentRead, result: JobResult): void {
    const isDeleted = this.#core.lives.isDeleted(document)
    if (result.type !== "compact" || result.unreadable > 0 || this.#isStopped || isDeleted) {
      return this.#foldNext(turn)
    }
    const { compacted: state } = result
    const snapshots = [{ document, state, folded: reachOf(read) }]
    this.#write({ snapshots }, (later, written) => {
      if (written.ok) {
        const { entries, bytes } = tailOf(read)
        this.#onFolded(document, entries, bytes, state.length)
        later.emit({ type: "folded", document, entries, bytes, snapshotBytes: state.length })
      }
      this.#foldNext(later)
    })
    return undefined
  }

  /** What came while it was folded is its tail now. */
  #onFolded(document: DocumentId, entries: number, bytes: number, snapshotBytes: number): void {
    const tail = this.#tails.get(document)
    if (tail === undefined) return
    tail.entries = Math.max(0, tail.entries - entries)
    tail.bytes = Math.max(0, tail.bytes - bytes)
    tail.snapshotBytes = snapshotBytes
    this.#core.documents.onFolded(document, snapshotBytes + tail.bytes)
  }

  #write(
    work: Omit<AppendBatch, "own" | "adopted">,
    done: (turn: Turn, result: AppendResult) => void,
  ): void {
    this.#core.commits.maintain({ work, done })
  }

  /** Looks how far floors can move, and past the log's cap for what holds them up. */
  #look(turn: Turn): void {
    if (this.#isLooking || !this.#isIdle()) return
    this.#isLooking = true
    const upTo = this.#core.holdings.vector()
    const limit = this.#isPastCap ? foldsWaitingMax : 0
    const query = { type: "foldable", upTo, limit } as const
    this.#core.reads.start(turn, query, (later, result) => this.#onLooked(later, result))
  }

  #onLooked(turn: Turn, result: ReadResult): void {
    this.#isLooking = false
    if (result.type === "failed" || this.#isStopped) return
    assert(result.type === "foldable", "a look for what can be folded is answered as one")
    this.#isPastCap = result.logBytes > this.#limits.logBytesMax
    for (const document of result.documents) this.#ask(document, "forced")
    this.#fold(turn)
    const floors = this.#floorsOf(result)
    if (floors.length > 0) this.#readBack(turn, floors)
    else if (this.#mayStrand) this.#lookAtAge(turn, result)
  }

  /** What is under a floor is gone: the snapshots that hold it are read back first. Rule [K12]. */
  #readBack(turn: Turn, floors: readonly (readonly [OriginId, number])[]): void {
    this.#isLooking = true
    const query = { type: "sound-floors", floors, bytesMax: readBackBytesMax } as const
    this.#core.reads.start(turn, query, (later, result) => {
      this.#isLooking = false
      if (result.type === "failed" || this.#isStopped) return
      assert(result.type === "sound-floors", "a look at snapshots is answered as one")
      for (const document of result.unreadable) {
        later.emit({ type: "snapshot-unreadable", document })
        // Whoever reads it finds the damage, for which the store is opened anew.
        this.#ask(document, "forced")
      }
      this.#fold(later)
      if (result.floors.length > 0) this.#truncate(result.floors)
    })
  }

  #truncate(floors: readonly (readonly [OriginId, number])[]): void {
    this.#isLooking = true
    this.#write({ floors }, (later, written) => {
      this.#isLooking = false
      assert(written.ok || written.code !== "refused", "floors pass what is folded")
      // Unreadable: damaged since it was read back. The next look finds it.
      if (!written.ok) return
      for (const [origin, seq] of floors) this.#floors.raise(origin, seq)
      later.emit({ type: "truncated", floors })
      this.#look(later)
    })
  }

  /** What waits for a member for too long goes all the same. Times only say how old, about. */
  #lookAtAge(turn: Turn, { floors }: Foldable): void {
    const due = floors.find(([origin]) => turn.nowMs >= (this.#ageLooks.get(origin) ?? -Infinity))
    if (due === undefined) return
    const [origin, foldedTo] = due
    const seq = Math.min(foldedTo, this.#floors.get(origin) + this.#limits.truncatedMax)
    this.#isLooking = true
    const query = { type: "origin", origin, fromSeq: seq, bytesMax: 0 } as const
    this.#core.reads.start(turn, query, (later, result) => {
      this.#isLooking = false
      const [record] = result.type === "origin" ? result.run.records : []
      const fields = record === undefined ? undefined : decodeRecord(record)
      // When one of a later version was made nobody knows: what comes behind it tells.
      const atMs = fields === undefined || fields.kind === "unknown" ? Infinity : fields.atMs
      const isOld = later.nowMs - atMs > this.#limits.logAgeMsMax
      if (isOld && !this.#isStopped) this.#readBack(later, [[origin, seq]])
      else this.#ageLooks.set(origin, later.nowMs + Math.min(ageLookMs, this.#limits.logAgeMsMax))
    })
  }

  /** How far floors move now: over what is folded, and held by all members unless it must go. */
  #floorsOf({ floors }: Foldable): (readonly [OriginId, number])[] {
    const isStranding = this.#isPastCap && this.#mayStrand
    const held = isStranding ? this.#core.holdings.vector() : this.#heldByAll()
    const moved: (readonly [OriginId, number])[] = []
    for (const [origin, foldedTo] of held === undefined ? [] : floors) {
      const floor = this.#floors.get(origin)
      const seq = Math.min(held?.get(origin) ?? 0, foldedTo, floor + this.#limits.truncatedMax)
      if (seq > floor) moved.push([origin, seq])
      if (moved.length >= floorsMovedMax) break
    }
    return moved
  }

  /** What every member holds; undefined while one of them is not heard. */
  #heldByAll(): VersionVector | undefined {
    const { members, holdings, config } = this.#core
    if (members.unknown > 0) return undefined
    let held = holdings.vector()
    for (const node of members.active()) {
      if (node === config.node) continue
      const heads = this.#heldBy(node)
      if (heads === undefined) return undefined
      const both = held.entries().map(([origin, seq]) => {
        return [origin, Math.min(seq, heads.get(origin)?.seq ?? 0)] as const
      })
      held = new VersionVector(both)
    }
    return held
  }
}

function tailOf({ snapshot, entries }: DocumentRead): Tail {
  let bytes = 0
  for (const { record } of entries) bytes += record.length
  return { entries: entries.length, bytes, snapshotBytes: snapshot?.state.length ?? 0 }
}
