/**
 * A node's disk behind the store port: a MemoryLog is what is durable, a queue is what is under
 * way. Work is done strictly in the order of the calls, each append after a seeded latency that
 * includes its fsync. A crash loses what is under way, but an append whose fsync had begun may
 * have made it: the seed says how many of them, always whole and always a prefix.
 */
import type { Millis, NodeId } from "@causeway/crdt/base"
import { assert, limits, originOf } from "@causeway/crdt/base"
import { MemoryLog } from "@causeway/crdt/log"
import type {
  AppendBatch,
  AppendResult,
  ReadQuery,
  ReadResult,
  Renewed,
  ReopenDoubt,
  Store,
  StoreFailure,
} from "@causeway/crdt/ports"
import type { OriginId } from "@causeway/crdt/base"
import type { SimRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

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
}

export type DiskOptions = {
  /** A typical append with its fsync, and a typical read. */
  readonly appendMs: Millis
  readonly readMs: Millis
}

/** Hears of every batch at the moment at which it is durable. */
export type OnDurable = (batch: AppendBatch, firstSeq: number) => void

export class SimDisk {
  readonly health: DiskHealth = { failing: undefined, readsFail: false, slowness: 1 }
  readonly #node: NodeId
  #log: MemoryLog
  readonly #reopenLog: (log: MemoryLog) => MemoryLog
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #options: DiskOptions
  readonly #onDurable: OnDurable
  #queue: Work[] = []
  /** Counts openings: a result for an earlier one reaches nobody. */
  #life = 0

  constructor(
    identity: { readonly node: NodeId; readonly origin: OriginId },
    scheduler: Scheduler,
    random: SimRandom,
    options: DiskOptions,
    reopenLog: (log: MemoryLog) => MemoryLog,
    onDurable: OnDurable,
  ) {
    this.#node = identity.node
    this.#log = new MemoryLog(identity.origin)
    this.#scheduler = scheduler
    this.#random = random
    this.#options = options
    this.#reopenLog = reopenLog
    this.#onDurable = onDurable
  }

  /** What is durable right now. For the checkers, who only read. */
  get durable(): MemoryLog {
    return this.#log
  }

  get busy(): boolean {
    return this.#queue.length > 0
  }

  /** Opens what is durable, as a process that starts does; in doubt it gets a fresh epoch. */
  open(doubt?: ReopenDoubt): Store {
    this.#life += 1
    this.#log = this.#reopenLog(this.#log)
    const renewed = doubt === undefined ? undefined : this.#renew(doubt)
    const life = this.#life
    const guarded =
      <Result>(done: (result: Result) => void) =>
      (result: Result): void => {
        if (life === this.#life) done(result)
      }
    return {
      opened: { node: this.#node, origin: this.#log.origin, heads: this.#log.heads(), renewed },
      append: (batch, done) => this.#enqueue({ type: "append", batch, done: guarded(done) }),
      read: (query, done) => this.#enqueue({ type: "read", query, done: guarded(done) }),
      close: (done) => this.#enqueue({ type: "close", done: () => guarded(done)(undefined) }),
    }
  }

  #renew(doubt: ReopenDoubt): Renewed {
    const before = this.#log.origin
    const fresh = originOf(this.#node, this.#random.hex(16))
    assert(fresh !== undefined, "an origin is well-formed")
    const options = doubt.why === "overtaken" ? { keepSeq: doubt.keepSeq } : {}
    return { ...this.#log.renew(fresh, options), why: doubt.why, before }
  }

  /** Gives how many of the appends under way were lost. */
  crash(): number {
    this.#life += 1
    const appends = this.#queue.filter((work) => work.type === "append")
    this.#queue = []
    let survivors = this.health.failing === undefined ? this.#random.int(0, appends.length) : 0
    for (const { batch } of appends.slice(0, survivors)) this.#persist(batch)
    survivors = Math.min(survivors, appends.length)
    return appends.length - survivors
  }

  #enqueue(work: Work): void {
    this.#queue.push(work)
    if (this.#queue.length === 1) this.#start(work)
  }

  #start(work: Work): void {
    const life = this.#life
    this.#scheduler.after(this.#latencyMs(work), () => {
      if (life !== this.#life) return
      this.#perform(work)
      this.#queue.shift()
      const next = this.#queue[0]
      if (next !== undefined) this.#start(next)
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
    const firstSeq = this.#persist(batch)
    const touched = new Set(batch.adopted.map((run) => run.origin))
    if (batch.own.length > 0) touched.add(this.#log.origin)
    const heads = [...touched].map((origin) => [origin, this.#log.head(origin)] as const)
    return { ok: true, firstSeq, heads }
  }

  #persist(batch: AppendBatch): number {
    const firstSeq = this.#log.appendOwn(batch.own)
    for (const run of batch.adopted) this.#log.appendRun(run)
    this.#onDurable(batch, firstSeq)
    return firstSeq
  }

  #read(query: ReadQuery): ReadResult {
    if (this.health.readsFail) {
      return { type: "failed", code: "store-failed", message: "simulated fault" }
    }
    return readLog(this.#log, query)
  }
}

function readLog(log: MemoryLog, query: ReadQuery): ReadResult {
  switch (query.type) {
    case "document": {
      const entries = log.readDocument(query.document, query.since)
      const bytes = entries.reduce((sum, entry) => sum + entry.record.length, 0)
      if (bytes <= limits.documentReadBytesMax) return { type: "document", entries }
      return { type: "failed", code: "document-too-large", message: `${bytes} bytes` }
    }
    case "origin": {
      const { run, previousHash } = log.readOrigin(query.origin, query.fromSeq, query.bytesMax)
      return { type: "origin", run, previousHash }
    }
    case "client":
      return { type: "client", seq: log.readClient(query.client) }
  }
}
