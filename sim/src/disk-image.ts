/**
 * What is on a node's disk, as far as it matters: whose folder it is, the log, which of its records
 * are not what was written, and the boot record (in the database and beside it). It can be copied,
 * put back, wiped and damaged while nobody looks; what an opening makes of that is the product's
 * rule, the same as the SQLite store's (ADR 8).
 */
import type { DocumentId, NodeId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import { decodeUpdate, MemoryLog, readLog } from "@causeway/crdt/log"
import type { RenewOptions } from "@causeway/crdt/log"
import type {
  AppendBatch,
  DoubtReason,
  ReadQuery,
  ReadResult,
  Renewed,
  ReopenDoubt,
  StoreFailure,
} from "@causeway/crdt/ports"

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
  #damagedSnapshots: Set<DocumentId>
  /** The id of the last opening in the database, and the boot record beside it. */
  #boot: string
  #beside: BootRecord

  constructor(node: NodeId, origin: OriginId) {
    this.#node = node
    this.#log = new MemoryLog(origin)
    this.#damaged = new Map()
    this.#damagedSnapshots = new Set()
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
    this.#damagedSnapshots = new Set(backup.#damagedSnapshots)
    this.#boot = backup.#boot
    if (part === "folder") this.#beside = backup.#beside
  }

  isDamaged({ origin, seq }: Dot): boolean {
    const isHit = this.#damaged.get(origin)?.has(seq) === true
    // What was folded and deleted meanwhile is nobody's loss.
    return isHit && this.#log.record({ origin, seq }) !== undefined
  }

  get hasDamage(): boolean {
    if (this.#damagedSnapshots.size > 0) return true
    return [...this.#damaged].some(([origin, seqs]) => {
      return [...seqs].some((seq) => this.isDamaged({ origin, seq }))
    })
  }

  /** Documents whose readers would notice: what is folded already is read by peers alone. */
  unreadable(): DocumentId[] {
    const documents = new Set(this.#damagedSnapshots)
    for (const document of this.#log.documentIds()) {
      const { entries } = this.#log.readDocument(document)
      if (entries.some((entry) => this.isDamaged(entry))) documents.add(document)
    }
    return [...documents]
  }

  damage({ origin, seq }: Dot): void {
    const seqs = this.#damaged.get(origin) ?? new Set()
    this.#damaged.set(origin, seqs.add(seq))
  }

  isSnapshotDamaged(document: DocumentId): boolean {
    return this.#damagedSnapshots.has(document)
  }

  damageSnapshot(document: DocumentId): void {
    this.#damagedSnapshots.add(document)
  }

  /** It is written anew. */
  healSnapshot(document: DocumentId): void {
    this.#damagedSnapshots.delete(document)
  }

  /** Opens it, as a process that starts does. `mint` gives what was never used. */
  open(
    doubt: ReopenDoubt | undefined,
    mint: { readonly origin: () => OriginId; readonly boot: () => string },
  ): Renewed | undefined {
    const why = this.#doubt() ?? doubt?.why
    const renewed = why === undefined ? undefined : this.#putRight(why, doubt, mint.origin)
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

  #putRight(why: DoubtReason, doubt: ReopenDoubt | undefined, mint: () => OriginId): Renewed {
    const isFork = why === "fork" && doubt?.why === "fork"
    return isFork ? this.#giveWay(doubt) : this.#renew(why, doubt, mint())
  }

  /** Only what is moved is looked at. */
  #giveWay({ why, origin, keepSeq }: Extract<ReopenDoubt, { why: "fork" }>): Renewed {
    const before = this.#log.origin
    const isDamaged = (dot: Dot): boolean => this.isDamaged(dot)
    const renewal = this.#log.giveWay({ origin, keepSeq }, { isDamaged })
    this.#damaged.delete(origin)
    return { ...renewal, why, before }
  }

  /** The log is looked through where records may be damaged; else damage goes on unnoticed. */
  #renew(why: DoubtReason, doubt: ReopenDoubt | undefined, fresh: OriginId): Renewed {
    const before = this.#log.origin
    const keepSeq =
      doubt?.why === "overtaken" || doubt?.why === "retired" ? doubt.keepSeq : Infinity
    const behind = [...(this.#damaged.get(before) ?? [])].some((seq) => seq > keepSeq)
    const isScan = doubt?.why === "corrupt" || why === "tail" || !this.#areTailsSound() || behind
    const options: RenewOptions = isScan
      ? {
          keepSeq,
          isDamaged: (dot) => this.isDamaged(dot),
          isSnapshotDamaged: (document) => this.#damagedSnapshots.has(document),
        }
      : { keepSeq }
    const renewal = this.#log.renew(fresh, options)
    if (isScan) {
      this.#damaged.clear()
      this.#damagedSnapshots.clear()
    }
    return { ...renewal, why, before }
  }

  read(query: ReadQuery): ReadResult {
    const result = readLog(this.#log, query)
    if (!this.hasDamage) return result
    if (query.type === "document") return this.#checkDocument(query.document, result)
    if (query.type === "sound-floors") return this.#soundFloors(query)
    return query.type === "origin" ? this.#checkOrigin(query, result) : result
  }

  /** Why nothing of the batch may be written; undefined if it may. */
  refusal(batch: AppendBatch): StoreFailure | undefined {
    const message = this.#log.refusal(batch)
    if (message !== undefined) return { ok: false, code: "refused", message }
    const soon = new Set((batch.snapshots ?? []).map(({ document }) => document))
    for (const [origin, seq] of batch.floors ?? []) {
      const held = this.#heldUp(origin, seq)
      if (held === undefined || soon.has(held.document)) continue
      return { ok: false, code: "unreadable", message: `the snapshot of ${held.document}` }
    }
    return undefined
  }

  /** The first entry up to there whose snapshot can't be read, as the stores read it back. */
  #heldUp(
    origin: OriginId,
    seqMax: number,
  ): { readonly seq: number; readonly document: DocumentId } | undefined {
    if (this.#damagedSnapshots.size === 0) return undefined
    for (let seq = this.#log.floor(origin).seq + 1; seq <= seqMax; seq++) {
      const record = this.#log.record({ origin, seq })
      const document = record === undefined ? undefined : decodeUpdate(record)?.document
      if (document !== undefined && this.isSnapshotDamaged(document)) return { seq, document }
    }
    return undefined
  }

  #soundFloors({ floors }: Extract<ReadQuery, { type: "sound-floors" }>): ReadResult {
    const reached = floors.map(([origin, seq]) => {
      const heldUp = this.#heldUp(origin, seq)
      return { origin, seq: heldUp === undefined ? seq : heldUp.seq - 1, heldUp }
    })
    const moved = reached.filter(({ origin, seq }) => seq > this.#log.floor(origin).seq)
    return {
      type: "sound-floors",
      floors: moved.map(({ origin, seq }) => [origin, seq] as const),
      unreadable: reached.flatMap(({ heldUp }) => (heldUp === undefined ? [] : [heldUp.document])),
    }
  }

  #checkDocument(document: DocumentId, result: ReadResult): ReadResult {
    if (result.type !== "document") return result
    if (result.snapshot !== undefined && this.#damagedSnapshots.has(document)) {
      return { type: "failed", code: "corrupt", message: `the snapshot of ${document}` }
    }
    const bad = result.entries.find((entry) => this.isDamaged(entry))
    if (bad === undefined) return result
    return { type: "failed", code: "corrupt", message: `entry ${bad.seq} of ${bad.origin}` }
  }

  /** Where order is everything, the answer ends before the first record that can't be read. */
  #checkOrigin(
    { origin, fromSeq }: Extract<ReadQuery, { type: "origin" }>,
    result: ReadResult,
  ): ReadResult {
    if (result.type !== "origin") return result
    const { run } = result
    const bad = run.records.findIndex((_, index) =>
      this.isDamaged({ origin, seq: fromSeq + index }),
    )
    if (bad === 0) {
      return { type: "failed", code: "corrupt", message: `entry ${fromSeq} of ${origin}` }
    }
    const records = bad < 0 ? run.records : run.records.slice(0, bad)
    return { ...result, run: { ...run, records } }
  }
}
