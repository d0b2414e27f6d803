/**
 * All entries that were ever durable anywhere, and what is durable on each node now: fed by the
 * disks at the very moment of durability, so it knows before any core does. Watches `no-fork`,
 * `no-phantom`, `logged-once`, and that nothing durable is gone after a restart.
 */
import { assert, bytesEqual } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { Authorship, LogRun, MemoryLog } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { HostId } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { Attempts } from "./attempts.ts"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"

export type LedgerEntry = {
  readonly record: Uint8Array
  readonly document: DocumentId
  readonly author: Authorship | undefined
  readonly ops: Ops
  /** Chain hash up to here, learnt from the first disk that held it. */
  readonly hash: Uint8Array
}

/** What one node's disk holds. */
export class Holdings {
  readonly #disk: { readonly durable: MemoryLog }
  readonly seqs = new Map<OriginId, number>()
  readonly #documents = new Map<DocumentId, Coverage>()

  constructor(disk: { readonly durable: MemoryLog }) {
    this.#disk = disk
  }

  get log(): MemoryLog {
    return this.#disk.durable
  }

  coverage(document: DocumentId): Coverage {
    let coverage = this.#documents.get(document)
    if (coverage === undefined) {
      coverage = new Coverage()
      this.#documents.set(document, coverage)
    }
    return coverage
  }
}

export class Ledger {
  readonly #attempts: Attempts
  readonly #entries = new Map<OriginId, LedgerEntry[]>()
  readonly #holdings = new Map<HostId, Holdings>()
  /** Per origin and client: the last update number that origin logged. */
  readonly #logged = new Map<OriginId, Map<ClientId, number>>()

  constructor(attempts: Attempts) {
    this.#attempts = attempts
  }

  addNode(host: HostId, disk: { readonly durable: MemoryLog }): void {
    this.#holdings.set(host, new Holdings(disk))
  }

  holdings(host: HostId): Holdings {
    const holdings = this.#holdings.get(host)
    assert(holdings !== undefined, () => `host ${host} is no node`)
    return holdings
  }

  entry(origin: OriginId, seq: number): LedgerEntry | undefined {
    return this.#entries.get(origin)?.[seq - 1]
  }

  /** Entries known in all. */
  get size(): number {
    let size = 0
    for (const entries of this.#entries.values()) size += entries.length
    return size
  }

  onDurable(host: HostId, batch: AppendBatch, firstSeq: number): void {
    const { log } = this.holdings(host)
    this.#hold(host, { origin: log.origin, firstSeq, records: batch.own })
    for (const run of batch.adopted) this.#hold(host, run)
  }

  #hold(host: HostId, { origin, firstSeq, records }: LogRun): void {
    const holdings = this.holdings(host)
    const entries = this.#entries.get(origin) ?? []
    this.#entries.set(origin, entries)
    for (const [index, record] of records.entries()) {
      const seq = firstSeq + index
      const known = entries[seq - 1]
      if (known === undefined) entries[seq - 1] = this.#register(holdings.log, origin, seq, record)
      else {
        demand(bytesEqual(known.record, record), "no-fork", () => {
          return `${origin} ${seq} differs from what another disk holds`
        })
      }
      const entry = entries[seq - 1]
      assert(entry !== undefined, "just registered")
      holdings.coverage(entry.document).add(entry.ops)
      holdings.seqs.set(origin, seq)
    }
  }

  #register(log: MemoryLog, origin: OriginId, seq: number, record: Uint8Array): LedgerEntry {
    const { document, author, body } = decodeRecord(record)
    const ops = this.#attempts.opsOf(document, body)
    const unknown = this.#attempts.coverage(document).unknown(ops)
    demand(unknown === undefined, "no-phantom", () => {
      return `${origin} ${seq} of ${document} has ${unknown}, which nobody wrote`
    })
    if (author !== undefined) this.#loggedOnce(origin, seq, author)
    const hash = log.readOrigin(origin, seq + 1, 0).previousHash
    return { record, document, author, ops, hash }
  }

  /** A log takes each client's numbers in rising order, so none of them twice. */
  #loggedOnce(origin: OriginId, seq: number, author: Authorship): void {
    const clients = this.#logged.get(origin) ?? new Map<ClientId, number>()
    this.#logged.set(origin, clients)
    const last = clients.get(author.client) ?? 0
    demand(author.seq > last, "logged-once", () => {
      return `${origin} ${seq}: update ${author.seq} of ${author.client} came after ${last}`
    })
    clients.set(author.client, author.seq)
  }

  /** After a restart: what was durable is still there. */
  checkRestart(host: HostId, log: MemoryLog): void {
    for (const [origin, seq] of this.holdings(host).seqs) {
      const held = log.head(origin).seq
      demand(held >= seq, "no-acked-write-lost", () => {
        return `${origin} was durable up to ${seq}; after the restart only up to ${held}`
      })
    }
  }
}
