/**
 * A store whose every answer the test times: calls wait in their order until they are released,
 * an append becomes durable at that moment and not before, and fails if told to. What lies in
 * `log` survives a crash, what waits does not.
 */
import { assert } from "../../base/index.ts"
import type { DocumentId, OriginId } from "../../base/index.ts"
import type { Head } from "../../log/index.ts"
import { decodeUpdate, MemoryLog, readLog } from "../../log/index.ts"
import type {
  AppendBatch,
  AppendResult,
  ReadFailureCode,
  ReadQuery,
  ReadResult,
} from "../../ports/index.ts"

type Call =
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

export class TestStore {
  log: MemoryLog
  #calls: Call[] = []
  /** While true, only `release` answers. */
  held = false
  appendFailure: "store-full" | "store-failed" | undefined
  readFailure: ReadFailureCode | undefined
  /** Documents that are too large to be read. */
  readonly tooLarge = new Set<DocumentId>()
  /** Documents whose snapshots can't be read. */
  readonly damaged = new Set<DocumentId>()

  constructor(origin: OriginId) {
    this.log = new MemoryLog(origin)
  }

  get waiting(): readonly Call["type"][] {
    return this.#calls.map(({ type }) => type)
  }

  append(batch: AppendBatch, done: (result: AppendResult) => void): void {
    const isUnderWay = this.#calls.some(({ type }) => type === "append")
    assert(!isUnderWay, "two appends at a time")
    this.#calls.push({ type: "append", batch, done })
  }

  read(query: ReadQuery, done: (result: ReadResult) => void): void {
    this.#calls.push({ type: "read", query, done })
  }

  /** Answers the oldest call. */
  release(): void {
    const call = this.#calls.shift()
    if (call?.type === "append") call.done(this.#commit(call.batch))
    else call?.done(this.#answer(call.query))
  }

  /** Forgets all calls, as a crash does; `durable`: the append under way reached the disk. */
  crash(durable: boolean): void {
    const first = this.#calls.find((call) => call.type === "append")
    this.#calls = []
    if (durable && first?.type === "append") this.#commit(first.batch)
  }

  #commit(batch: AppendBatch): AppendResult {
    if (this.appendFailure !== undefined) {
      return { ok: false, code: this.appendFailure, message: "as the test wants it" }
    }
    const message = this.log.refusal(batch)
    if (message !== undefined) return { ok: false, code: "refused", message }
    const firstSeq = this.log.append(batch)
    const touched = new Set(batch.adopted.map(({ origin }) => origin)).add(this.log.origin)
    for (const [origin] of batch.raise ?? []) touched.add(origin)
    const heads = [...touched].map((origin): [OriginId, Head] => [origin, this.log.head(origin)])
    return { ok: true, firstSeq, heads }
  }

  #answer(query: ReadQuery): ReadResult {
    const { log, readFailure } = this
    if (readFailure !== undefined) return { type: "failed", code: readFailure, message: "test" }
    if (query.type === "sound-floors") return this.#soundFloors(query.floors)
    if (query.type === "document" && this.tooLarge.has(query.document)) {
      return { type: "failed", code: "document-too-large", message: "test" }
    }
    const result = readLog(log, query)
    const isDamaged = result.type === "document" && result.snapshot !== undefined
    if (query.type !== "document" || !isDamaged || !this.damaged.has(query.document)) return result
    return { type: "failed", code: "corrupt", message: "test" }
  }

  #soundFloors(floors: readonly (readonly [OriginId, number])[]): ReadResult {
    const unreadable = new Set<DocumentId>()
    const sound = floors.map(([origin, seqMax]) => {
      let seq = this.log.floor(origin).seq
      for (; seq < seqMax; seq++) {
        const record = this.log.record({ origin, seq: seq + 1 })
        const document = record === undefined ? undefined : decodeUpdate(record)?.document
        if (document === undefined || !this.damaged.has(document)) continue
        unreadable.add(document)
        break
      }
      return [origin, seq] as const
    })
    const moved = sound.filter(([origin, seq]) => seq > this.log.floor(origin).seq)
    return { type: "sound-floors", floors: moved, unreadable: [...unreadable] }
  }
}
