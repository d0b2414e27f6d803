/**
 * A client's own storage in memory, on virtual time: what `write` was called with is durable when
 * its latency has passed, in the order of calls; a crash loses what is under way.
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

export class ClientDisk {
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #latencyMs: Millis
  readonly #onStored: (update: StoredUpdate) => void
  #client: ClientId | undefined
  #outbox = new Map<number, StoredUpdate>()
  #rejected = new Map<number, RejectedUpdate>()
  #nextSeq = 1
  #life = 0
  #lastDoneMs: Millis = 0
  /** While set, writes fail. */
  failing = false

  constructor(
    scheduler: Scheduler,
    random: SimRandom,
    latencyMs: Millis,
    onStored: (update: StoredUpdate) => void,
  ) {
    this.#scheduler = scheduler
    this.#random = random
    this.#latencyMs = latencyMs
    this.#onStored = onStored
  }

  open(): ClientStorage {
    this.#life += 1
    return {
      load: (fresh, done) => this.#later(() => done(this.#load(fresh))),
      write: (writes, done) => this.#later(() => done(this.#write(writes))),
      close: (done) => this.#later(done),
    }
  }

  /** What is under way is lost; with `wipe` everything is. */
  crash(wipe: boolean): void {
    this.#life += 1
    if (!wipe) return
    this.#client = undefined
    this.#outbox.clear()
    this.#rejected.clear()
    this.#nextSeq = 1
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
        return this.#onStored(write.update)
      case "outbox-trim":
        for (const seq of this.#outbox.keys()) if (seq <= write.seq) this.#outbox.delete(seq)
        return
      case "rejected-add":
        this.#outbox.delete(write.update.seq)
        this.#rejected.set(write.update.seq, write.update)
        return
      case "rejected-remove":
        this.#rejected.delete(write.seq)
        return
      case "client":
        this.#client = write.client
    }
  }
}
