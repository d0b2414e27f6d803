/**
 * A client's own storage in memory, on virtual time: what `write` was called with is durable when
 * its latency has passed, in the order of calls. A crash loses what is under way, but for a prefix
 * of its writes, each of them whole: the seed says how many.
 */
import type { ClientId, Millis } from "@causeway/crdt/base"
import type {
  ClientStorage,
  LoadResult,
  RejectedUpdate,
  StorageResult,
  StorageWrite,
  StoredClient,
  StoredUpdate,
} from "@causeway/crdt/ports"
import type { SimRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

/** Everything a client has in storage, at some time. */
export type ClientImage = {
  readonly client: ClientId | undefined
  readonly outbox: ReadonlyMap<number, StoredUpdate>
  readonly rejected: ReadonlyMap<number, RejectedUpdate>
  readonly nextSeq: number
  readonly tiers: Uint8Array | undefined
}

const nothing: ClientImage = {
  client: undefined,
  outbox: new Map(),
  rejected: new Map(),
  nextSeq: 1,
  tiers: undefined,
}

/** Hears of what becomes durable, at that very moment. */
export type ClientDiskEvents = {
  readonly onStored: (update: StoredUpdate) => void
  /** The client took it for logged by a node, and let go of it. */
  readonly onTrimmed: (client: ClientId | undefined, update: StoredUpdate) => void
}

export class ClientDisk {
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #latencyMs: Millis
  readonly #events: ClientDiskEvents
  #client: ClientId | undefined
  #outbox = new Map<number, StoredUpdate>()
  #rejected = new Map<number, RejectedUpdate>()
  #nextSeq = 1
  #tiers: Uint8Array | undefined
  #life = 0
  /** Writes that are not durable yet, in the order of calls. */
  #underWay: (readonly StorageWrite[])[] = []
  #lastDoneMs: Millis = 0
  /** While set, writes fail. */
  failing = false

  constructor(
    scheduler: Scheduler,
    random: SimRandom,
    latencyMs: Millis,
    events: ClientDiskEvents,
  ) {
    this.#scheduler = scheduler
    this.#random = random
    this.#latencyMs = latencyMs
    this.#events = events
  }

  open(): ClientStorage {
    this.#life += 1
    this.#underWay = []
    return {
      load: (fresh, done) => this.#later(() => done(this.#load(fresh))),
      write: (writes, done) => {
        this.#underWay.push(writes)
        this.#later(() => {
          this.#underWay.shift()
          done(this.#write(writes))
        })
      },
      close: (done) => this.#later(done),
    }
  }

  /** Updates that are stored and not yet known to be logged. */
  get outbox(): Iterable<StoredUpdate> {
    return this.#outbox.values()
  }

  /** Updates that were refused, and that the app has not taken care of. */
  get shelf(): Iterable<RejectedUpdate> {
    return this.#rejected.values()
  }

  get client(): ClientId | undefined {
    return this.#client
  }

  /** The process ends, in the middle of what is under way. */
  crash(): void {
    this.#life += 1
    const survivors = this.#random.int(0, this.#underWay.length)
    for (const writes of this.#underWay.slice(0, survivors)) this.#write(writes)
    this.#underWay = []
  }

  wipe(): void {
    this.putBack(nothing)
  }

  copy(): ClientImage {
    return {
      client: this.#client,
      outbox: new Map(this.#outbox),
      rejected: new Map(this.#rejected),
      nextSeq: this.#nextSeq,
      tiers: this.#tiers,
    }
  }

  /** Makes the storage what it was at some time; its client is not running. */
  putBack({ client, outbox, rejected, nextSeq, tiers }: ClientImage): void {
    this.#client = client
    this.#outbox = new Map(outbox)
    this.#rejected = new Map(rejected)
    this.#nextSeq = nextSeq
    this.#tiers = tiers
  }

  #later(run: () => void): void {
    const life = this.#life
    const doneMs = this.#scheduler.nowMs + this.#random.exponential(this.#latencyMs)
    this.#lastDoneMs = Math.max(this.#lastDoneMs, doneMs)
    this.#scheduler.at(this.#lastDoneMs, () => {
      if (life === this.#life) run()
    })
  }

  #load(fresh: ClientId): LoadResult {
    this.#client ??= fresh
    const stored: StoredClient = {
      client: this.#client,
      outbox: [...this.#outbox.values()].sort((one, two) => one.seq - two.seq),
      nextSeq: this.#nextSeq,
      rejected: [...this.#rejected.values()].sort((one, two) => one.seq - two.seq),
      tiers: this.#tiers,
    }
    return { ok: true, stored }
  }

  #write(writes: readonly StorageWrite[]): StorageResult {
    if (this.failing) return { ok: false, message: "simulated fault" }
    for (const write of writes) this.#apply(write)
    return { ok: true }
  }

  #apply(write: StorageWrite): void {
    switch (write.type) {
      case "outbox-add":
        this.#outbox.set(write.update.seq, write.update)
        this.#nextSeq = Math.max(this.#nextSeq, write.update.seq + 1)
        return this.#events.onStored(write.update)
      case "outbox-trim":
        for (const [seq, update] of this.#outbox) {
          if (seq > write.seq) continue
          this.#outbox.delete(seq)
          this.#events.onTrimmed(this.#client, update)
        }
        return
      case "rejected-add":
        this.#outbox.delete(write.update.seq)
        this.#rejected.set(write.update.seq, write.update)
        this.#nextSeq = Math.max(this.#nextSeq, write.update.seq + 1)
        return
      case "rejected-remove":
        this.#rejected.delete(write.seq)
        return
      case "tiers":
        this.#tiers = write.state
        return
      case "client":
        this.#client = write.client
    }
  }
}
