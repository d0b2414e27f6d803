/**
 * All entries that were ever durable anywhere, and what is durable on each node now: fed by the
 * disks at the very moment of durability, so it knows before any core does. Watches `no-fork`,
 * `no-phantom`, `logged-once`, and that nothing durable is gone after a restart, nor after a store
 * started a fresh epoch, but what a fault took.
 */
import { assert, bytesEqual, bytesToHex } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import { decodeUpdate, genesisHash } from "@causeway/crdt/log"
import type { Authorship, LogRun, MemoryLog } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { HostId } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { DiskChange } from "../watcher.ts"
import type { Attempts } from "./attempts.ts"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"
import { Forks } from "./forks.ts"
import { DeletedNames } from "./lives.ts"
import { Losses } from "./losses.ts"

export type LedgerEntry = {
  readonly record: Uint8Array
  /** Undefined for the cluster's own records. */
  readonly document: DocumentId | undefined
  readonly author: Authorship | undefined
  readonly ops: Ops
  /** Chain hash up to here, learnt from the first disk that held it. */
  readonly hash: Uint8Array
}

const noOps: Ops = { added: [], deleted: [] }

/** A disk as checkers see it. */
export type DiskView = {
  readonly durable: MemoryLog
  readonly hasDamage: boolean
  isDamaged(dot: Dot): boolean
  isSnapshotDamaged(document: DocumentId): boolean
}

/** What one node's disk holds. */
export class Holdings {
  readonly disk: DiskView
  readonly seqs = new Map<OriginId, number>()
  readonly #documents = new Map<DocumentId, Coverage>()
  /** What can't be read any more, of which the node does not know so far. */
  readonly #latent = new Map<DocumentId, Coverage>()

  constructor(disk: DiskView) {
    this.disk = disk
  }

  get log(): MemoryLog {
    return this.disk.durable
  }

  coverage(document: DocumentId): Coverage {
    return coverageIn(this.#documents, document)
  }

  documents(): Iterable<readonly [DocumentId, Coverage]> {
    return this.#documents
  }

  hold(origin: OriginId, seq: number, { document, ops }: LedgerEntry): void {
    this.seqs.set(origin, seq)
    if (document === undefined) return
    const isLatent = this.disk.hasDamage && this.disk.isDamaged({ origin, seq })
    coverageIn(isLatent ? this.#latent : this.#documents, document).add(ops)
  }

  /** A document's snapshot, which holds all this. */
  holdSnapshot(document: DocumentId, ops: Ops): void {
    const isLatent = this.disk.isSnapshotDamaged(document)
    coverageIn(isLatent ? this.#latent : this.#documents, document).add(ops)
  }

  /**
   * The first part of `ops` that is not here, in words. What was damaged behind the node's back
   * counts as being here until an opening found out: the node may have it in memory, or said so.
   */
  lacks(document: DocumentId, ops: Ops): string | undefined {
    const missing = this.coverage(document).missing(ops)
    const latent = this.#latent.get(document)
    return missing === undefined || latent === undefined
      ? missing
      : bothOf(this.coverage(document), latent).missing(ops)
  }
}

function coverageIn(all: Map<DocumentId, Coverage>, document: DocumentId): Coverage {
  let coverage = all.get(document)
  if (coverage === undefined) {
    coverage = new Coverage()
    all.set(document, coverage)
  }
  return coverage
}

function bothOf(one: Coverage, other: Coverage): Coverage {
  const both = new Coverage()
  both.add(one.ops())
  both.add(other.ops())
  return both
}

/** What could be read of documents, and can't any more. */
function takenBetween(before: Holdings, after: Holdings): [DocumentId, Ops][] {
  return [...before.documents()]
    .map(([document, held]): [DocumentId, Ops] => {
      return [document, after.coverage(document).lacking(held.ops())]
    })
    .filter(([, { added, deleted }]) => added.length > 0 || deleted.length > 0)
}

export class Ledger {
  readonly losses = new Losses()
  readonly forks = new Forks()
  /** What was ever deleted: nobody is bound to keep any of it. */
  readonly deleted = new DeletedNames()
  readonly #attempts: Attempts
  readonly #entries = new Map<OriginId, LedgerEntry[]>()
  readonly #holdings = new Map<HostId, Holdings>()
  /** Per origin and client: the last update number that origin logged. */
  readonly #logged = new Map<OriginId, Map<ClientId, number>>()
  /** Per client and number: the records that any origin has of it. */
  readonly #numbered = new Map<string, Uint8Array[]>()

  constructor(attempts: Attempts) {
    this.#attempts = attempts
  }

  addNode(host: HostId, disk: DiskView): void {
    this.#holdings.set(host, new Holdings(disk))
  }

  /** Whether some node's disk holds all of it. */
  holdsSomewhere(document: DocumentId, ops: Ops): boolean {
    for (const holdings of this.#holdings.values()) {
      if (holdings.coverage(document).has(ops)) return true
    }
    return false
  }

  /** Whether some node holds all of it, for all that it knows, or none is bound to. */
  isKept(document: DocumentId, ops: Ops): boolean {
    for (const holdings of this.#holdings.values()) {
      if (holdings.lacks(document, ops) === undefined) return true
    }
    return this.excused(document)?.has(ops) === true
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
    for (const [origin, { seq }] of batch.raise ?? []) this.#raise(host, origin, seq)
    for (const run of batch.adopted) this.#hold(host, run)
    for (const { document, state } of batch.snapshots ?? []) this.#fold(host, document, state)
    this.#noteDeletions(host, batch)
  }

  /** A floor deletes what a snapshot holds: if that is damaged, the last copy that is readable. */
  #noteDeletions(host: HostId, { floors = [], raise = [] }: AppendBatch): void {
    const before = this.holdings(host)
    if (floors.length + raise.length === 0 || !before.disk.hasDamage) return
    const after = this.#readAgain(host)
    for (const [document, taken] of takenBetween(before, after)) {
      if (this.deleted.has(document)) continue
      demand(after.lacks(document, taken) === undefined, "no-acked-write-lost", () => {
        return `a floor on ${after.log.origin} deleted what only the log had of ${document}`
      })
      this.losses.take(document, taken)
    }
    this.settle()
  }

  /** A head that a state transfer moved: what it stands for came with documents. */
  #raise(host: HostId, origin: OriginId, seq: number): void {
    const { seqs } = this.holdings(host)
    seqs.set(origin, Math.max(seq, seqs.get(origin) ?? 0))
  }

  #fold(host: HostId, document: DocumentId, state: Uint8Array): void {
    const ops = this.#attempts.opsOf(document, state)
    const { added } = ops
    const unknown = this.#attempts.coverage(document).unknown({ added, deleted: [] })
    demand(unknown === undefined, "no-phantom", () => {
      return `a snapshot of ${document} has ${unknown}, which nobody wrote`
    })
    this.holdings(host).holdSnapshot(document, ops)
  }

  #hold(host: HostId, { origin, firstSeq, records }: LogRun): void {
    const holdings = this.holdings(host)
    for (const [index, record] of records.entries()) {
      const seq = firstSeq + index
      holdings.hold(origin, seq, this.#entryOf(holdings.log, origin, seq, record))
    }
  }

  /** The entry with this content, known from now on. */
  #entryOf(log: MemoryLog, origin: OriginId, seq: number, record: Uint8Array): LedgerEntry {
    const entries = this.#entries.get(origin) ?? []
    this.#entries.set(origin, entries)
    const first = entries[seq - 1]
    if (first === undefined) {
      const entry = this.#register(log, origin, seq, record)
      entries[seq - 1] = entry
      return entry
    }
    if (first.record === record || bytesEqual(first.record, record)) return first
    const known = this.forks.find(origin, seq, record)
    if (known !== undefined) return known
    const entry = this.#register(log, origin, seq, record)
    this.forks.add(origin, seq, entry)
    return entry
  }

  /**
   * What a disk holds is no longer what it held: reads all of it again. Whatever a fault took is
   * noted; an opening may take nothing.
   */
  onDiskChanged(host: HostId, change: DiskChange): void {
    const before = this.holdings(host)
    if (change === "restored-folder") this.forks.allow(before.log.origin)
    const after = this.#readAgain(host)
    for (const [document, taken] of takenBetween(before, after)) {
      if (this.deleted.has(document)) continue
      demand(change !== "renewed", "no-acked-write-lost", () => {
        return `a fresh epoch of ${after.log.origin} left out what could be read of ${document}`
      })
      this.losses.take(document, taken)
    }
    this.settle()
  }

  #readAgain(host: HostId): Holdings {
    const after = new Holdings(this.holdings(host).disk)
    this.#holdings.set(host, after)
    for (const [origin, { seq }] of after.log.heads()) {
      const { run } = after.log.readOrigin(origin, after.log.floor(origin).seq + 1, Infinity)
      if (seq > 0) this.#hold(host, run)
    }
    for (const document of after.log.documentIds()) {
      const { snapshot, entries } = after.log.readDocument(document)
      if (snapshot !== undefined) this.#fold(host, document, snapshot.state)
      for (const { origin, seq, record } of entries) {
        if (seq > after.log.floor(origin).seq) continue
        after.hold(origin, seq, this.#entryOf(after.log, origin, seq, record))
      }
    }
    for (const [origin, { seq }] of after.log.heads()) if (seq > 0) after.seqs.set(origin, seq)
    return after
  }

  /** Somebody may have lost what nobody else has. */
  settle(): void {
    this.losses.settle((document) => this.#onDisks(document))
  }

  /** The first part of `ops` that `host` does not hold and can't be excused for, in words. */
  owes(host: HostId, document: DocumentId, ops: Ops): string | undefined {
    const held = this.holdings(host).coverage(document)
    const missing = held.missing(ops)
    if (missing === undefined) return undefined
    const excused = this.excused(document)
    return excused === undefined ? missing : bothOf(held, excused).missing(ops)
  }

  /**
   * Operations of a document that no node is bound to have; undefined if there are none. Behind a
   * fork it is what no disk has: a client that holds it does not know, as its vector covers the
   * name.
   */
  excused(document: DocumentId): Coverage | undefined {
    const lost = this.losses.lost(document)
    if (this.forks.count === 0) return lost
    const excused = new Coverage()
    if (lost !== undefined) excused.add(lost.ops())
    const onDisks = this.#onDisks(document)
    for (const origin of this.forks.origins()) {
      const behind = this.#behindFork(origin, document).ops()
      excused.add(onDisks.lacking(behind))
    }
    return excused.isEmpty ? undefined : excused
  }

  #onDisks(document: DocumentId): Coverage {
    const all = new Coverage()
    for (const holdings of this.#holdings.values()) all.add(holdings.coverage(document).ops())
    return all
  }

  /** Whether two entries of the document, or their neighbours, ever had one name. */
  isForked(document: DocumentId): boolean {
    return [...this.forks.origins()].some((origin) => {
      return !this.#behindFork(origin, document).isEmpty
    })
  }

  /** Whether there is such a fork, and a node that no cut tells of it. */
  hasSilentFork(document: DocumentId): boolean {
    return [...this.forks.origins()].some((origin) => {
      const fromSeq = this.forks.fromSeq(origin) ?? Infinity
      const isTold = [...this.#holdings.values()].every(({ log }) => {
        return log.cuts().some(([cut, keepSeq]) => cut === origin && keepSeq < fromSeq)
      })
      return !isTold && !this.#behindFork(origin, document).isEmpty
    })
  }

  /** What all branches of an origin wrote to a document behind the first fork. */
  #behindFork(origin: OriginId, document: DocumentId): Coverage {
    const coverage = new Coverage()
    const fromSeq = this.forks.fromSeq(origin) ?? Infinity
    const first = (this.#entries.get(origin) ?? []).slice(fromSeq - 1)
    for (const entry of [...first, ...this.forks.others(origin)]) {
      if (entry.document === document) coverage.add(entry.ops)
    }
    return coverage
  }

  hasLostDeletions(document: DocumentId): boolean {
    return (this.losses.lost(document)?.ops().deleted.length ?? 0) > 0
  }

  /** The first origin of whose log these nodes hold different branches. */
  splitAmong(hosts: readonly HostId[]): OriginId | undefined {
    return [...this.forks.origins()].find((origin) => this.#isSplit(origin, hosts))
  }

  #isSplit(origin: OriginId, hosts: readonly HostId[]): boolean {
    return [...this.forks.seqs(origin)].some((seq) => {
      const hashes = new Set<string>()
      for (const host of hosts) {
        const hash = this.holdings(host).log.hashAt({ origin, seq })
        if (hash !== undefined) hashes.add(bytesToHex(hash))
      }
      return hashes.size > 1
    })
  }

  #register(log: MemoryLog, origin: OriginId, seq: number, record: Uint8Array): LedgerEntry {
    const hash = log.hashAt({ origin, seq }) ?? genesisHash
    const update = decodeUpdate(record)
    if (update === undefined) {
      this.deleted.learn(record)
      return { record, document: undefined, author: undefined, ops: noOps, hash }
    }
    const { document, author, body } = update
    const ops = this.#attempts.opsOf(document, body)
    const unknown = this.#attempts.coverage(document).unknown(ops)
    demand(unknown === undefined, "no-phantom", () => {
      return `${origin} ${seq} of ${document} has ${unknown}, which nobody wrote`
    })
    // Behind a fork two branches count on their own, and so does what gave way and is logged again.
    const isOnce = author !== undefined && !this.forks.isAllowed(origin)
    if (isOnce && !this.#isCopy(author, record)) this.#loggedOnce(origin, seq, author)
    return { record, document, author, ops, hash }
  }

  /** Whether the very record is in another origin's log, time of writing and all. */
  #isCopy({ client, seq }: Authorship, record: Uint8Array): boolean {
    const name = `${client} ${seq}`
    const known = this.#numbered.get(name) ?? []
    if (known.some((other) => bytesEqual(other, record))) return true
    this.#numbered.set(name, [...known, record])
    return false
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
