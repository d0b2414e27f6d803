/**
 * The main thread's side of a store in a worker thread: keeps the calls under way in their order
 * and matches results to them; the worker answers strictly in order. If the worker dies, every call
 * under way and every later one fails, and `onFailed` says so once.
 */
import type { Worker } from "node:worker_threads"
import { assert, InvariantError } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { AppendBatch, AppendResult, ReadQuery, ReadResult, Store } from "@causeway/crdt/ports"
import { errorMessage } from "../errors.ts"
import { PlannedHeads, touchedOrigins } from "../planned-heads.ts"
import { startBackup } from "./backup.ts"
import type { Backup, BackupProgress, BackupStore } from "./backup.ts"
import { decodeAppendResult, encodeAppend, unpackEntries } from "./messages.ts"
import type {
  FromWorker,
  Opened,
  ReadReply,
  ReadRequest,
  ToWorker,
  WorkerEvent,
} from "./messages.ts"
import { snapshotOf } from "./snapshot-messages.ts"

export type CorruptEntry = { readonly origin: OriginId; readonly seq: number }

/** What the store tells beyond the results of calls. */
export type StoreEvents = {
  /** An entry failed its checksum; called once for each. */
  readonly onCorrupt?: (entry: CorruptEntry) => void
  /** Something failed that no call had to hear of, such as a checkpoint; it is tried again. */
  readonly onTrouble?: (message: string) => void
  /** The store's thread died: every call fails from now on. */
  readonly onFailed?: (message: string) => void
}

type Pending =
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

/** What a store needs of its thread: a Worker, or whatever else serves a log. */
export interface LogThread extends Pick<Worker, "postMessage"> {
  on(event: "message", listener: (message: FromWorker) => void): this
  on(event: "error", listener: (error: unknown) => void): this
  on(event: "exit", listener: (code: number) => void): this
  off(event: "message", listener: (message: FromWorker) => void): this
  off(event: "error", listener: (error: unknown) => void): this
  off(event: "exit", listener: (code: number) => void): this
}

/** `closing`: nothing more is sent. `gone`: the thread has ended. */
type State = "open" | "closing" | "gone"

export class ThreadStore implements BackupStore {
  readonly opened: Store["opened"]
  readonly #worker: LogThread
  readonly #events: StoreEvents
  /** Calls without a result, oldest first. */
  #pending: Pending[] = []
  readonly #heads: Map<OriginId, number>
  #planned: PlannedHeads
  #state: State = "open"
  /** Why calls fail once the thread has ended. */
  #reason = "the store is closed"
  #closed: (() => void)[] = []

  constructor(worker: LogThread, opening: Opened, events: StoreEvents) {
    const { node, origin, heads, floors, cuts, clusterRecords, notes, renewed } = opening
    this.opened = { node, origin, heads, floors, cuts, clusterRecords, notes, renewed }
    this.#worker = worker
    this.#events = events
    this.#heads = new Map(heads.map(([held, head]) => [held, head.seq]))
    this.#planned = new PlannedHeads(origin, this.#heads)
    worker.on("message", (message: FromWorker) => this.#onMessage(message))
    worker.on("error", (error) => (this.#reason = `the store failed: ${errorMessage(error)}`))
    worker.on("exit", (code) => this.#onExit(code))
  }

  append(batch: AppendBatch, done: (result: AppendResult) => void): void {
    if (this.#state === "open") {
      this.#planned.add(batch)
      const buffer = encodeAppend(batch)
      this.#send(buffer, [buffer])
    }
    this.#expect({ type: "append", batch, done })
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    if (this.#state === "open") this.#send(requestOf(query))
    this.#expect({ type: "read", query, done })
  }

  backup(file: string, onProgress: (progress: BackupProgress) => void): Backup {
    return startBackup(this.#worker, file, onProgress)
  }

  close(done: () => void): void {
    this.#closed.push(done)
    if (this.#state === "open") {
      this.#state = "closing"
      this.#send({ type: "close" })
    } else if (this.#state === "gone") setImmediate(() => this.#failAll())
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #expect(call: Pending): void {
    this.#pending.push(call)
    if (this.#state === "gone") setImmediate(() => this.#failAll())
  }

  #onMessage(message: FromWorker): void {
    if (!("type" in message)) this.#onAppended(message)
    else if (isEvent(message)) this.#onEvent(message)
    else this.#onRead(message)
  }

  #onAppended(buffer: ArrayBuffer): void {
    const call = this.#pending.shift()
    assert(call?.type === "append", "results come in the order of the calls")
    const result = decodeAppendResult(buffer, touchedOrigins(this.opened.origin, call.batch))
    if (result.ok) {
      for (const [origin, { seq }] of result.heads) this.#heads.set(origin, seq)
    } else {
      // What was planned on top of it will fail too, where it leaves a gap now.
      this.#planned = new PlannedHeads(this.opened.origin, this.#heads)
      for (const later of this.#pending) {
        if (later.type === "append") this.#planned.addIfFits(later.batch)
      }
    }
    call.done(result)
  }

  #onRead(reply: ReadReply): void {
    const call = this.#pending.shift()
    assert(call?.type === "read", "results come in the order of the calls")
    call.done(resultOf(call.query, reply))
  }

  #onEvent(event: WorkerEvent): void {
    switch (event.type) {
      case "corrupt":
        this.#events.onCorrupt?.({ origin: event.origin, seq: event.seq })
        break
      case "trouble":
        this.#events.onTrouble?.(event.message)
        break
      case "invariant":
        throw new InvariantError(event.message)
      case "opened":
      case "open-failed":
        throw new InvariantError(`${event.type} after opening`)
    }
  }

  #onExit(code: number): void {
    const crashed = this.#state === "open" || code !== 0
    this.#state = "gone"
    if (crashed) {
      if (code === 0) this.#reason = "the store failed: its thread ended"
      this.#events.onFailed?.(this.#reason)
    }
    this.#failAll()
  }

  /** The thread is gone: answers what is left, in order, then whoever closed. */
  #failAll(): void {
    const calls = this.#pending
    const closed = this.#closed
    this.#pending = []
    this.#closed = []
    const failure = { code: "store-failed", message: this.#reason } as const
    for (const call of calls) {
      if (call.type === "append") call.done({ ok: false, ...failure })
      else call.done({ type: "failed", ...failure })
    }
    for (const done of closed) done()
  }
}

function isEvent(message: ReadReply | WorkerEvent): message is WorkerEvent {
  switch (message.type) {
    case "document":
    case "origin":
    case "truncated":
    case "client":
    case "changed":
    case "foldable":
    case "sound-floors":
    case "undocumented":
    case "clients":
    case "leaves":
    case "bucket-sums":
    case "failed":
      return false
    default:
      return true
  }
}

function requestOf(query: ReadQuery): ReadRequest {
  switch (query.type) {
    case "origin":
      assert(query.fromSeq >= 1, "seqs begin at 1")
      return query
    case "sound-floors":
    case "client":
    case "clients":
    case "leaves":
    case "bucket-sums":
      return query
    case "document":
    case "undocumented":
    case "changed":
      return { ...query, since: query.since.entries() }
    case "foldable":
      return { ...query, upTo: query.upTo.entries() }
  }
}

function resultOf(query: ReadQuery, reply: ReadReply): ReadResult {
  switch (reply.type) {
    case "document":
      return {
        type: "document",
        snapshot: reply.snapshot === undefined ? undefined : snapshotOf(reply.snapshot),
        entries: unpackEntries(reply.bytes, reply.origins),
      }
    case "origin": {
      assert(query.type === "origin", "an origin read is answered as one")
      const records = unpackEntries(reply.bytes, [query.origin]).map((entry) => entry.record)
      const run = { origin: query.origin, firstSeq: query.fromSeq, records }
      return { type: "origin", run, previousHash: reply.previousHash }
    }
    case "changed": {
      const { type, next } = reply
      const documents = reply.documents.map(([document, seqs]) => {
        return { document, vector: new VersionVector(seqs) }
      })
      return { type, documents, next }
    }
    case "truncated":
    case "client":
    case "foldable":
    case "sound-floors":
    case "undocumented":
    case "clients":
    case "leaves":
    case "bucket-sums":
    case "failed":
      return reply
  }
}
