/**
 * A client's own storage in memory, on virtual time: what `write` was called with is durable when
 * its latency has passed, in the order of calls. A crash loses what is under way, but for a prefix
 * of its writes, each of them whole: the seed says how many.
 */
import type { ClientId, DocumentId, Millis } from "@causeway/crdt/base"
import { StoredImage } from "@causeway/crdt/client"
import type {
  ClientStorage,
  RejectedUpdate,
  StorageResult,
  StorageWrite,
  StoredDocument,
  StoredUpdate,
} from "@causeway/crdt/ports"
import type { SimRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

const failure = { ok: false, code: "failed", message: "simulated fault" } as const

/** Hears of what becomes durable, at that very moment. */
export type ClientDiskEvents = {
  readonly onStored: (update: StoredUpdate) => void
  /** The client took it for logged by a node, and let go of it. */
  readonly onRemoved: () => void
  readonly onTrimmed: (client: ClientId | undefined, update: StoredUpdate) => void
}

/** One process's access: what it called for goes on without it, unless it dies. */
export type ClientDiskHandle = ClientStorage & {
  /** Its process ends, in the middle of what is under way. */
  readonly crash: () => void
}

type Handle = {
  /** Writes that are not durable yet, in the order of calls. */
  underWay: (readonly StorageWrite[])[]
  hasEnded: boolean
}

export class ClientDisk {
  readonly #scheduler: Scheduler
  readonly #random: SimRandom
  readonly #reads: SimRandom
  readonly #latencyMs: Millis
  readonly #events: ClientDiskEvents
  #image = new StoredImage()
  #latest: Handle = { underWay: [], hasEnded: true }
  #lastDoneMs: Millis = 0
  /** While set, writes fail. */
  failing = false
  /** While set, documents can't be read. */
  readsFail = false
  /** So many times its usual latency. */
  slowness = 1

  constructor(
    scheduler: Scheduler,
    random: SimRandom,
    latencyMs: Millis,
    events: ClientDiskEvents,
  ) {
    this.#scheduler = scheduler
    this.#random = random
    this.#reads = random.split("reads")
    this.#latencyMs = latencyMs
    this.#events = events
  }

  /** Tabs open it one after the other, and the one before may not have died. */
  open(): ClientDiskHandle {
    const handle: Handle = { underWay: [], hasEnded: false }
    this.#latest = handle
    return {
      crash: () => this.#crash(handle),
      load: (fresh, done) => {
        this.#later(handle, () => done({ ok: true, stored: this.#image.load(fresh) }))
      },
      write: (writes, done) => {
        handle.underWay.push(writes)
        this.#later(handle, () => {
          handle.underWay.shift()
          done(this.#write(writes))
        })
      },
      read: (document, done) => {
        const read = (): void => {
          const stored = this.#image.documents.get(document)
          done(this.readsFail ? failure : { ok: true, stored, damaged: [] })
        }
        this.#later(handle, read, this.#reads)
      },
      list: (done) => {
        this.#later(handle, () => done({ ok: true, documents: this.#image.list() }))
      },
      close: (done) => this.#later(handle, done),
    }
  }

  /** Updates that are stored and not yet known to be logged. */
  get outbox(): Iterable<StoredUpdate> {
    return this.#image.outbox.values()
  }

  /** Updates that were refused, and that the app has not taken care of. */
  get shelf(): Iterable<RejectedUpdate> {
    return this.#image.rejected.values()
  }

  /** Copies of documents. */
  get documents(): ReadonlyMap<DocumentId, StoredDocument> {
    return this.#image.documents
  }

  get client(): ClientId | undefined {
    return this.#image.client
  }

  /** The process that opened it last ends, in the middle of what is under way. */
  crash(): void {
    this.#crash(this.#latest)
  }

  #crash(handle: Handle): void {
    handle.hasEnded = true
    const survivors = this.#random.int(0, handle.underWay.length)
    for (const writes of handle.underWay.slice(0, survivors)) this.#write(writes)
    handle.underWay = []
  }

  wipe(): void {
    this.#image = new StoredImage()
  }

  copy(): StoredImage {
    return copyOf(this.#image)
  }

  /** Makes the storage what it was at some time; its client is not running. */
  putBack(image: StoredImage): void {
    this.#image = copyOf(image)
  }

  #later(handle: Handle, run: () => void, random = this.#random): void {
    const doneMs = this.#scheduler.nowMs + random.exponential(this.#latencyMs * this.slowness)
    this.#lastDoneMs = Math.max(this.#lastDoneMs, doneMs)
    this.#scheduler.at(this.#lastDoneMs, () => {
      if (!handle.hasEnded) run()
    })
  }

  #write(writes: readonly StorageWrite[]): StorageResult {
    if (this.failing) return failure
    for (const write of writes) {
      const trimmed = write.type === "outbox-trim" ? outboxTo(this.#image, write.seq) : []
      this.#image.apply(write)
      if (write.type === "outbox-add") this.#events.onStored(write.update)
      if (write.type === "document-remove") this.#events.onRemoved()
      for (const update of trimmed) this.#events.onTrimmed(this.#image.client, update)
    }
    return { ok: true }
  }
}

function outboxTo({ outbox }: StoredImage, seq: number): StoredUpdate[] {
  return [...outbox.values()].filter((update) => update.seq <= seq)
}

/** Bytes are shared, as nobody changes them. */
function copyOf(image: StoredImage): StoredImage {
  const copy = new StoredImage()
  copy.client = image.client
  copy.nextSeq = image.nextSeq
  copy.tiers = image.tiers
  for (const [seq, update] of image.outbox) copy.outbox.set(seq, update)
  for (const [seq, update] of image.rejected) copy.rejected.set(seq, update)
  for (const [document, stored] of image.documents) copy.documents.set(document, stored)
  return copy
}
