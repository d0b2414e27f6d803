/**
 * A whole log in memory: the model every store is compared with, the body of the memory store,
 * and what the simulator's disk persists and loses. It assigns own sequence numbers, chains
 * hashes, and refuses what would leave a gap or break a chain. Its own origin is fresh again after
 * `renew` (ADR 8). Synchronous and pure.
 */
import { assert } from "../base/index.ts"
import type { ClientId, DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { Reader } from "../base/index.ts"
import { chainHash, emptyHead } from "./chain.ts"
import type { Head } from "./chain.ts"
import { decodeRecordHead, isClusterRecord } from "./record.ts"
import { relogged, Renewing } from "./renewal.ts"
import type { Renewal, RenewOptions } from "./renewal.ts"

/** An entry as a log holds it. */
export type LogEntry = {
  readonly origin: OriginId
  readonly seq: number
  readonly record: Uint8Array
}

/** Records of one origin that follow each other; `firstSeq` is the first one's seq. */
export type LogRun = {
  readonly origin: OriginId
  readonly firstSeq: number
  readonly records: readonly Uint8Array[]
}

type Stored = { readonly record: Uint8Array; readonly hash: Uint8Array }

export class MemoryLog {
  #origin: OriginId
  readonly #logs = new Map<OriginId, Stored[]>()
  readonly #documents = new Map<DocumentId, { origin: OriginId; seq: number }[]>()
  /** Entries of no document. */
  #cluster: { origin: OriginId; seq: number }[] = []
  readonly #clients = new Map<ClientId, number>()
  readonly #cuts = new Map<OriginId, number>()

  constructor(origin: OriginId) {
    this.#origin = origin
    this.#logs.set(origin, [])
  }

  /** The own origin: what is written here is numbered under it. */
  get origin(): OriginId {
    return this.#origin
  }

  /** The same log once more; what is appended to one is not in the other. O(entries). */
  copy(): MemoryLog {
    const copy = new MemoryLog(this.#origin)
    for (const [origin, log] of this.#logs) copy.#logs.set(origin, log.slice())
    for (const [document, dots] of this.#documents) copy.#documents.set(document, dots.slice())
    copy.#cluster = this.#cluster.slice()
    for (const [client, seq] of this.#clients) copy.#clients.set(client, seq)
    for (const [origin, seq] of this.#cuts) copy.#cuts.set(origin, seq)
    return copy
  }

  /**
   * Makes `fresh` the own origin; the one before is from now on like a peer's. Each origin ends
   * before its first damaged entry, the one before also at `keepSeq`; what is readable behind that
   * is logged again under `fresh`, in order of origins and seqs. O(entries).
   */
  renew(fresh: OriginId, { keepSeq = Infinity, isDamaged }: RenewOptions = {}): Renewal {
    assert(!this.#logs.has(fresh), "a fresh origin was never used")
    const renewing = new Renewing()
    const again: Uint8Array[] = []
    const ownEnd = this.head(this.#origin).seq
    for (const [origin, { seq: end }] of this.heads()) {
      const log = this.#logs.get(origin) ?? []
      let keep = origin === this.#origin ? Math.min(keepSeq, end) : end
      let hasLost = false
      for (let seq = 1; seq <= end; seq++) {
        if (isDamaged?.({ origin, seq }) === true) {
          keep = Math.min(keep, seq - 1)
          hasLost = true
          renewing.lose({ origin, seq })
        } else if (seq > keep) again.push(relogged(this.#record(origin, seq), hasLost))
      }
      log.length = keep
    }
    const { seq: kept } = this.head(this.#origin)
    if (keepSeq < ownEnd) this.#cuts.set(this.#origin, kept)
    if (kept === 0) this.#logs.delete(this.#origin)
    this.#origin = fresh
    this.#logs.set(fresh, [])
    this.#indexAgain()
    this.appendOwn(again)
    return renewing.finish(again.length)
  }

  /** Own origins of before that were cut at a `keepSeq`, and where. */
  cuts(): readonly (readonly [OriginId, number])[] {
    return [...this.#cuts]
  }

  #indexAgain(): void {
    this.#documents.clear()
    this.#cluster = []
    this.#clients.clear()
    for (const [origin, log] of this.#logs) {
      for (const [index, { record }] of log.entries()) this.#index(origin, index + 1, record)
    }
  }

  head(origin: OriginId): Head {
    const log = this.#logs.get(origin)
    const last = log?.at(-1)
    return log === undefined || last === undefined
      ? emptyHead
      : { seq: log.length, hash: last.hash }
  }

  /** Heads of all origins held, the own one always among them, in stable order. */
  heads(): [OriginId, Head][] {
    const origins = [...this.#logs.keys()].sort((left, right) => (left < right ? -1 : 1))
    return origins.map((origin) => [origin, this.head(origin)])
  }

  /** Appends records of the own origin and gives the first one's seq. */
  appendOwn(records: readonly Uint8Array[]): number {
    const firstSeq = this.head(this.#origin).seq + 1
    this.appendRun({ origin: this.#origin, firstSeq, records })
    return firstSeq
  }

  /** Appends a run that must start right after what is held. */
  appendRun(run: LogRun): void {
    const head = this.head(run.origin)
    assert(run.firstSeq === head.seq + 1, () => `gap: ${run.origin} ${head.seq} ${run.firstSeq}`)
    const log = this.#logs.get(run.origin) ?? []
    this.#logs.set(run.origin, log)
    let { seq, hash } = head
    for (const record of run.records) {
      seq += 1
      hash = chainHash(hash, run.origin, seq, record)
      log.push({ record, hash })
      this.#index(run.origin, seq, record)
    }
  }

  #index(origin: OriginId, seq: number, record: Uint8Array): void {
    const { document, author } = decodeRecordHead(new Reader(record))
    if (document === undefined) {
      if (isClusterRecord(record)) this.#cluster.push({ origin, seq })
      return
    }
    const dots = this.#documents.get(document) ?? []
    dots.push({ origin, seq })
    this.#documents.set(document, dots)
    if (author === undefined) return
    const known = this.#clients.get(author.client) ?? 0
    if (author.seq > known) this.#clients.set(author.client, author.seq)
  }

  /** A document's entries that `since` does not cover, each origin's in order of seq. */
  readDocument(document: DocumentId, since = new VersionVector()): LogEntry[] {
    const dots = this.#documents.get(document) ?? []
    return dots
      .filter((dot) => !since.covers(dot))
      .map(({ origin, seq }) => ({
        origin,
        seq,
        record: this.#record(origin, seq),
      }))
  }

  /** Entries of no document, each origin's in order of seq. */
  clusterRecords(): LogEntry[] {
    return this.#cluster.map((dot) => ({ ...dot, record: this.#record(dot.origin, dot.seq) }))
  }

  /**
   * Records of `origin` from `fromSeq` on, as many as fit `bytesMax` (at least one if there is
   * one), and the hash before the first.
   */
  readOrigin(
    origin: OriginId,
    fromSeq: number,
    bytesMax: number,
  ): { run: LogRun; previousHash: Uint8Array } {
    const log = this.#logs.get(origin) ?? []
    const records: Uint8Array[] = []
    let bytes = 0
    for (let seq = fromSeq; seq <= log.length; seq++) {
      const record = this.#record(origin, seq)
      bytes += record.length
      if (records.length > 0 && bytes > bytesMax) break
      records.push(record)
    }
    const previousHash = log[fromSeq - 2]?.hash ?? emptyHead.hash
    return { run: { origin, firstSeq: fromSeq, records }, previousHash }
  }

  /** The highest update number of `client` in the log; 0 if none. */
  readClient(client: ClientId): number {
    return this.#clients.get(client) ?? 0
  }

  documentIds(): DocumentId[] {
    return [...this.#documents.keys()].sort((left, right) => (left < right ? -1 : 1))
  }

  #record(origin: OriginId, seq: number): Uint8Array {
    const stored = this.#logs.get(origin)?.[seq - 1]
    assert(stored !== undefined, () => `no entry ${origin} ${seq}`)
    return stored.record
  }
}
