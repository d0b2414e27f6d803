/**
 * What is on a node's disk, as far as it matters: whose folder it is, the log, which of its records
 * are not what was written, and the boot record (in the database and beside it). It can be copied,
 * put back, wiped and damaged while nobody looks; what an opening makes of that is the product's
 * rule, the same as the SQLite store's (ADR 8).
 */
import { limits } from "@causeway/crdt/base"
import type { NodeId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import { MemoryLog } from "@causeway/crdt/log"
import type { RenewOptions } from "@causeway/crdt/log"
import type { DoubtReason, ReadQuery, ReadResult, Renewed, ReopenDoubt } from "@causeway/crdt/ports"

/** The database and what lies beside it: a backup may hold both or only the former. */
export type DiskPart = "database" | "folder"

type BootRecord = {
  readonly boot: string
  readonly origin: OriginId
  /** Where the own log stood at that opening. */
  readonly openedSeq: number
}

export class DiskImage {
  #node: NodeId
  #log: MemoryLog
  #damaged: Map<OriginId, Set<number>>
  /** The id of the last opening in the database, and the boot record beside it. */
  #boot: string
  #beside: BootRecord

  constructor(node: NodeId, origin: OriginId) {
    this.#node = node
    this.#log = new MemoryLog(origin)
    this.#damaged = new Map()
    this.#boot = ""
    this.#beside = { boot: "", origin, openedSeq: 0 }
  }

  /** The node whose folder this says it is. */
  get node(): NodeId {
    return this.#node
  }

  get log(): MemoryLog {
    return this.#log
  }

  copy(): DiskImage {
    const copy = new DiskImage(this.#node, this.#log.origin)
    copy.putBack(this, "folder")
    return copy
  }

  /** Makes this what `backup` is, or only the database in it. */
  putBack(backup: DiskImage, part: DiskPart): void {
    this.#node = backup.#node
    this.#log = backup.#log.copy()
    this.#damaged = new Map([...backup.#damaged].map(([origin, seqs]) => [origin, new Set(seqs)]))
    this.#boot = backup.#boot
    if (part === "folder") this.#beside = backup.#beside
  }

  isDamaged({ origin, seq }: Dot): boolean {
    return this.#damaged.get(origin)?.has(seq) === true
  }

  get hasDamage(): boolean {
    return this.#damaged.size > 0
  }

  damage({ origin, seq }: Dot): void {
    const seqs = this.#damaged.get(origin) ?? new Set()
    this.#damaged.set(origin, seqs.add(seq))
  }

  /** Opens it, as a process that starts does. `mint` gives what was never used. */
  open(
    doubt: ReopenDoubt | undefined,
    mint: { readonly origin: () => OriginId; readonly boot: () => string },
  ): Renewed | undefined {
    const why = this.#doubt() ?? doubt?.why
    const renewed = why === undefined ? undefined : this.#renew(why, doubt, mint.origin())
    const { origin } = this.#log
    this.#boot = mint.boot()
    this.#beside = { boot: this.#boot, origin, openedSeq: this.#log.head(origin).seq }
    return renewed
  }

  /** What an opening would find by itself; nothing if only peers can tell. */
  #doubt(): DoubtReason | undefined {
    const { origin } = this.#log
    const { seq } = this.#log.head(origin)
    const beside = this.#beside
    if (this.#boot !== beside.boot || origin !== beside.origin) return "boot-record"
    if (seq < beside.openedSeq || this.isDamaged({ origin, seq })) return "tail"
    return this.#areTailsSound() ? undefined : "corrupt"
  }

  /** Whether the database is not the one that was last opened here. */
  get isBootRecordWrong(): boolean {
    return this.#doubt() === "boot-record"
  }

  #areTailsSound(): boolean {
    if (!this.hasDamage) return true
    return this.#log.heads().every(([origin, { seq }]) => !this.isDamaged({ origin, seq }))
  }

  /** The log is looked through where records may be damaged; else damage goes on unnoticed. */
  #renew(why: DoubtReason, doubt: ReopenDoubt | undefined, fresh: OriginId): Renewed {
    const before = this.#log.origin
    const keepSeq = doubt?.why === "overtaken" ? doubt.keepSeq : Infinity
    const behind = [...(this.#damaged.get(before) ?? [])].some((seq) => seq > keepSeq)
    const isScan = doubt?.why === "corrupt" || why === "tail" || !this.#areTailsSound() || behind
    const options: RenewOptions = isScan
      ? { keepSeq, isDamaged: (dot) => this.isDamaged(dot) }
      : { keepSeq }
    const renewal = this.#log.renew(fresh, options)
    if (isScan) this.#damaged.clear()
    return { ...renewal, why, before }
  }

  read(query: ReadQuery): ReadResult {
    switch (query.type) {
      case "document":
        return this.#readDocument(query)
      case "origin":
        return this.#readOrigin(query)
      case "client":
        return { type: "client", seq: this.#log.readClient(query.client) }
    }
  }

  #readDocument({ document, since }: Extract<ReadQuery, { type: "document" }>): ReadResult {
    const entries = this.#log.readDocument(document, since)
    const bad = this.hasDamage ? entries.find((entry) => this.isDamaged(entry)) : undefined
    if (bad !== undefined) {
      return { type: "failed", code: "corrupt", message: `entry ${bad.seq} of ${bad.origin}` }
    }
    const bytes = entries.reduce((sum, entry) => sum + entry.record.length, 0)
    if (bytes > limits.documentReadBytesMax) {
      return { type: "failed", code: "document-too-large", message: `${bytes} bytes` }
    }
    return { type: "document", entries }
  }

  /** Where order is everything, the answer ends before the first record that can't be read. */
  #readOrigin({ origin, fromSeq, bytesMax }: Extract<ReadQuery, { type: "origin" }>): ReadResult {
    const { run, previousHash } = this.#log.readOrigin(origin, fromSeq, bytesMax)
    if (!this.#damaged.has(origin)) return { type: "origin", run, previousHash }
    const bad = run.records.findIndex((_, index) =>
      this.isDamaged({ origin, seq: fromSeq + index }),
    )
    if (bad === 0) {
      return { type: "failed", code: "corrupt", message: `entry ${fromSeq} of ${origin}` }
    }
    const records = bad < 0 ? run.records : run.records.slice(0, bad)
    return { type: "origin", run: { ...run, records }, previousHash }
  }
}
