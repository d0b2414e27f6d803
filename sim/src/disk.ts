/**
 * A node's disk behind the store port: a DiskImage is what is durable, a queue is what is under
 * way. Work is done strictly in the order of the calls, each append after a seeded latency that
 * includes its fsync. A crash loses what is under way, but an append whose fsync had begun may
 * have made it: the seed says how many of them, always whole and always a prefix, and if the disk
 * tears, the next one with its end damaged.
 */
import type { DocumentId, Millis, NodeId } from "@causeway/crdt/base"
import { assert, originOf } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import type { MemoryLog } from "@causeway/crdt/log"
import type {
  AppendBatch,
  AppendResult,
  ReadQuery,
  ReadResult,
  ReopenDoubt,
  Store,
  StoreFailure,
} from "@causeway/crdt/ports"
import { DiskImage } from "./disk-image.ts"
import type { DiskPart } from "./disk-image.ts"
import type { SimRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import type { DiskChange } from "./watcher.ts"

type Work =
  | {
      readonly type: "append"
      readonly batch: AppendBatch
      readonly done: (result: AppendResult) => void
    }
  | {
      readonly type: "read"
      readonly query: ReadQuery
      readonly done: (result: ReadResult) => void
    }
  | { readonly type: "close"; readonly done: () => void }

/** What faults may do to a disk; `undefined` and 1 mean healthy. */
export type DiskHealth = {
  failing: StoreFailure["code"] | undefined
  readsFail: boolean
  slowness: number
  /** A crash in the middle of an append leaves the end of its batch damaged. */
  isTorn: boolean
  /** Called in the middle of an append. */
  onAppending: (() => void) | undefined
}

export type DiskOptions = {
  /** A typical append with its fsync, and a typical read. */
  readonly appendMs: Millis
  readonly readMs: Millis
}

/** Hears of what becomes durable, and of what is done to it, at that very moment. */
export type DiskEvents = {
  readonly onDurable: (batch: AppendBatch, firstSeq: number) => void
  readonly onChanged: (change: DiskChange) => void
}

/** How many records of a torn piece are whole, before its last. */
const WHOLE = 0.3

export class SimDisk {
  readonly health: DiskHealth = {
    failing: undefined,
    readsFail: false,
    slowness: 1,
    isTorn: false,
    onAppending: undefined,
  }
  readonly #node: NodeId
  readonly #image: DiskImage
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #options: DiskOptions
  readonly #events: DiskEvents
  #queue: Work[] = []
  /** Counts openings: a result for an earlier one reaches nobody. */
  #life = 0

  constructor(
    identity: { readonly node: NodeId; readonly origin: OriginId },
    scheduler: Scheduler,
    random: SimRandom,
    options: DiskOptions,
    events: DiskEvents,
  ) {
    this.#node = identity.node
    this.#image = new DiskImage(identity.node, identity.origin)
    this.#scheduler = scheduler
    this.#random = random
    this.#options = options
    this.#events = events
  }

  /** What is durable right now. For the checkers, who only read. */
  get durable(): MemoryLog {
    return this.#image.log
  }

  /** Whether a record is not what was written, and nobody noticed so far. */
  isDamaged(dot: Dot): boolean {
    return this.#image.isDamaged(dot)
  }

  isSnapshotDamaged(document: DocumentId): boolean {
    return this.#image.isSnapshotDamaged(document)
  }

  get hasDamage(): boolean {
    return this.#image.hasDamage
  }

  /** Documents whose readers would notice damage. */
  unreadable(): DocumentId[] {
    return this.#image.hasDamage ? this.#image.unreadable() : []
  }

  /** Another node's folder: the store refuses to open it (`other-node`). */
  get isForeign(): boolean {
    return this.#image.node !== this.#node
  }

  get busy(): boolean {
    return this.#queue.length > 0
  }

  /** Somebody waits for something to be durable. */
  get isWriting(): boolean {
    return this.#queue.some(({ type }) => type === "append")
  }

  /** Opens what is durable, as a process that starts does; in doubt it gets a fresh epoch. */
  open(doubt?: ReopenDoubt): Store {
    assert(!this.isForeign, "a store refuses another node's folder")
    this.#life += 1
    const mint = { origin: () => this.#freshOrigin(), boot: () => this.#random.hex(16) }
    const renewed = this.#image.open(doubt, mint)
    if (renewed !== undefined) this.#events.onChanged("renewed")
    const life = this.#life
    const guarded =
      <Result>(done: (result: Result) => void) =>
      (result: Result): void => {
        if (life === this.#life) done(result)
      }
    const { log } = this.#image
    return {
      opened: {
        node: this.#node,
        origin: log.origin,
        heads: log.heads(),
        floors: log.floors(),
        cuts: log.cuts(),
        clusterRecords: log.clusterRecords(),
        notes: log.side.notes(),
        renewed,
      },
      append: (batch, done) => this.#enqueue({ type: "append", batch, done: guarded(done) }),
      read: (query, done) => this.#enqueue({ type: "read", query, done: guarded(done) }),
      close: (done) => this.#enqueue({ type: "close", done: () => guarded(done)(undefined) }),
    }
  }

  #freshOrigin(): OriginId {
    const fresh = originOf(this.#node, this.#random.hex(16))
    assert(fresh !== undefined, "an origin is well-formed")
    return fresh
  }

  /** A copy of everything on it, as a snapshot of the file system takes it. */
  copy(): DiskImage {
    return this.#image.copy()
  }

  /** Puts a copy back; nobody has the disk open. */
  putBack(backup: DiskImage, part: DiskPart): void {
    assert(!this.busy, "nobody has the disk open")
    this.#image.putBack(backup, part)
    // A database alone that is from the last opening is as good as the whole folder.
    const restored = this.#image.isBootRecordWrong ? "restored-database" : "restored-folder"
    this.#events.onChanged(this.isForeign ? "cloned" : restored)
  }

  /** The folder is empty; nobody has it open. */
  wipe(): void {
    assert(!this.busy, "nobody has the disk open")
    this.#image.putBack(new DiskImage(this.#node, this.#freshOrigin()), "folder")
    this.#events.onChanged("wiped")
  }

  /** Bits of one record flip, or of a document's snapshot. Gives which, if there is any. */
  damage(random: SimRandom): Dot | DocumentId | undefined {
    const { durable } = this
    const snapshots = durable.documentIds().filter((document) => {
      return durable.readDocument(document).snapshot !== undefined
    })
    if (snapshots.length > 0 && random.chance(0.3)) {
      const document = random.pick(snapshots)
      this.#image.damageSnapshot(document)
      this.#events.onChanged("damaged")
      return document
    }
    const held = durable.heads().filter(([origin, { seq }]) => seq > durable.floor(origin).seq)
    if (held.length === 0) return undefined
    const [origin, { seq }] = random.pick(held)
    const dot = { origin, seq: random.int(durable.floor(origin).seq + 1, seq) }
    this.#image.damage(dot)
    this.#events.onChanged("damaged")
    return dot
  }

  /** Gives how many of the appends under way were lost. */
  crash(): number {
    this.#life += 1
    const appends = this.#queue.filter((work) => work.type === "append")
    this.#queue = []
    const survivors = this.health.failing === undefined ? this.#random.int(0, appends.length) : 0
    for (const { batch } of appends.slice(0, survivors)) this.#persistUnlessRefused(batch)
    const torn = this.health.isTorn ? appends[survivors] : undefined
    if (torn !== undefined && this.#image.refusal(torn.batch) === undefined) this.#tear(torn.batch)
    return appends.length - survivors
  }

  #persistUnlessRefused(batch: AppendBatch): void {
    if (this.#image.refusal(batch) === undefined) this.#persist(batch)
  }

  /** The batch is on the disk, but its last record is not what was written, nor are others. */
  #tear(batch: AppendBatch): void {
    this.#persist(batch)
    const { origin } = this.durable
    const runs = batch.adopted.map((run) => ({ origin: run.origin, count: run.records.length }))
    if (batch.own.length > 0) runs.unshift({ origin, count: batch.own.length })
    const torn = runs[0]
    for (const { document } of batch.snapshots ?? []) {
      this.#image.damageSnapshot(document)
      this.#events.onChanged("damaged")
    }
    if (torn === undefined) return
    const end = this.durable.head(torn.origin).seq
    const records = this.#random.int(1, torn.count)
    // Pages reach a disk in any order: between two that did not another may have.
    for (let back = 0; back < records; back++) {
      if (back > 0 && this.#random.chance(WHOLE)) continue
      this.#image.damage({ origin: torn.origin, seq: end - back })
    }
    this.#events.onChanged("damaged")
  }

  #enqueue(work: Work): void {
    this.#queue.push(work)
    if (this.#queue.length === 1) this.#start(work)
  }

  #start(work: Work): void {
    const life = this.#life
    const latencyMs = this.#latencyMs(work)
    if (work.type === "append") this.#interrupt(latencyMs / 2)
    this.#scheduler.after(latencyMs, () => {
      if (life !== this.#life) return
      this.#perform(work)
      this.#queue.shift()
      const next = this.#queue[0]
      if (next !== undefined) this.#start(next)
    })
  }

  /** Somebody waits for an append to be under way. */
  #interrupt(afterMs: Millis): void {
    if (this.health.onAppending === undefined) return
    const life = this.#life
    this.#scheduler.after(afterMs, () => {
      // Who waited may have given up by now.
      if (life === this.#life) this.health.onAppending?.()
    })
  }

  #latencyMs(work: Work): Millis {
    const typicalMs = work.type === "append" ? this.#options.appendMs : this.#options.readMs
    return typicalMs * (0.5 + this.#random.exponential(0.5)) * this.health.slowness
  }

  #perform(work: Work): void {
    switch (work.type) {
      case "append":
        return work.done(this.#append(work.batch))
      case "read":
        return work.done(this.#read(work.query))
      case "close":
        return work.done()
    }
  }

  #append(batch: AppendBatch): AppendResult {
    const { failing } = this.health
    if (failing !== undefined) return { ok: false, code: failing, message: "simulated fault" }
    const refusal = this.#image.refusal(batch)
    if (refusal !== undefined) return refusal
    const firstSeq = this.#persist(batch)
    const log = this.durable
    const touched = new Set(batch.adopted.map((run) => run.origin))
    for (const [origin] of batch.raise ?? []) touched.add(origin)
    if (batch.own.length > 0) touched.add(log.origin)
    const heads = [...touched].map((origin) => [origin, log.head(origin)] as const)
    return { ok: true, firstSeq, heads }
  }

  #persist(batch: AppendBatch): number {
    const firstSeq = this.durable.append(batch)
    for (const { document } of batch.snapshots ?? []) this.#image.healSnapshot(document)
    this.#events.onDurable(batch, firstSeq)
    return firstSeq
  }

  #read(query: ReadQuery): ReadResult {
    if (this.health.readsFail) {
      return { type: "failed", code: "store-failed", message: "simulated fault" }
    }
    return this.#image.read(query)
  }
}
