/**
 * How a MemoryLog is renewed: each origin ends before its first damaged entry, the own one also at
 * `keepSeq`, and where a damaged snapshot took the only copy of entries with it, at the beginning;
 * what is readable behind that is logged again. Where only snapshots hold what is behind an end,
 * their states are logged again. Rules [E3] [E4] [K5].
 */
import type { DocumentId, OriginId } from "../base/index.ts"
import { compareDocuments } from "./compare-documents.ts"
import type { HeldDocument } from "./memory-log.ts"
import type { OriginLog } from "./origin-log.ts"
import { foldedUpTo, isOfAnother, relogged, Renewing, stateRecord } from "./renewal.ts"
import type { Cut, Renewal, RenewOptions } from "./renewal.ts"

export class MemoryRenewal {
  readonly #logs: ReadonlyMap<OriginId, OriginLog>
  readonly #documents: ReadonlyMap<DocumentId, HeldDocument>
  /** The own origin until now. */
  readonly #own: OriginId
  /** Which origin ends where, for a fork. */
  readonly #cut: Cut
  readonly #options: RenewOptions
  readonly #renewing = new Renewing()
  readonly #again: Uint8Array[] = []
  /** Origins of which a lost snapshot held entries that are nowhere else. */
  readonly #gone = new Set<OriginId>()
  /** From where on an origin's effects are logged again with the states that hold them. */
  readonly #restated = new Map<OriginId, number>()

  constructor(
    logs: ReadonlyMap<OriginId, OriginLog>,
    documents: ReadonlyMap<DocumentId, HeldDocument>,
    ends: { readonly own: OriginId; readonly cut: Cut },
    options: RenewOptions,
  ) {
    this.#logs = logs
    this.#documents = documents
    this.#own = ends.own
    this.#cut = ends.cut
    this.#options = options
  }

  /** Gives what is to be logged again under the fresh origin. */
  run(origins: readonly OriginId[]): {
    readonly again: readonly Uint8Array[]
    readonly isSnapshotLost: boolean
  } {
    this.#dropSnapshots()
    for (const origin of origins) {
      const log = this.#logs.get(origin)
      if (log !== undefined) this.#end(origin, log)
    }
    this.#restate()
    this.#lowerFolded()
    return { again: this.#again, isSnapshotLost: this.#gone.size > 0 }
  }

  finish(cut: Cut | undefined): Renewal {
    return this.#renewing.finish(this.#again.length, cut)
  }

  /** One whose entries are all in the log still is rebuilt from them by whoever reads. */
  #dropSnapshots(): void {
    for (const [document, held] of this.#documents) {
      const { snapshot } = held
      if (snapshot === undefined || this.#options.isSnapshotDamaged?.(document) !== true) continue
      held.snapshot = undefined
      const folded = snapshot.folded.entries()
      const gone = folded.filter(([origin]) => (this.#logs.get(origin)?.floor.seq ?? 0) > 0)
      for (const [origin] of gone) {
        this.#gone.add(origin)
        // What other snapshots hold of it nobody would be told of any more.
        this.#restateFrom(origin, 1)
      }
      if (gone.length > 0) this.#renewing.loseDocument(document)
    }
  }

  #end(origin: OriginId, log: OriginLog): void {
    const keep = this.#keepOf(origin, log)
    let hasLost = this.#gone.has(origin)
    for (const seq of log.seqs()) {
      if (this.#options.isDamaged?.({ origin, seq }) === true) {
        hasLost = true
        this.#renewing.lose({ origin, seq })
        if (seq > log.floor.seq) this.#restateFrom(origin, seq)
      } else if (seq > keep) {
        const record = log.record(seq)
        if (record === undefined || isOfAnother(this.#own, origin, record)) continue
        this.#again.push(relogged(record, hasLost))
      }
    }
    if (origin === this.#cut.origin && this.#cut.keepSeq < log.floor.seq) {
      this.#restateFrom(origin, this.#cut.keepSeq + 1)
    }
    log.cut(keep)
  }

  /** Nothing between the beginning and the floor can be an end: no hash of the chain is there. */
  #keepOf(origin: OriginId, log: OriginLog): number {
    const isDamaged = (seq: number) => this.#options.isDamaged?.({ origin, seq }) === true
    const end = log.head.seq
    const keepMax = origin === this.#cut.origin ? Math.min(this.#cut.keepSeq, end) : end
    const damaged = log.seqs().find(isDamaged) ?? Infinity
    const keep = Math.min(keepMax, damaged - 1)
    return keep < log.floor.seq || this.#gone.has(origin) ? 0 : keep
  }

  #restateFrom(origin: OriginId, seq: number): void {
    this.#restated.set(origin, Math.min(seq, this.#restated.get(origin) ?? seq))
  }

  #restate(): void {
    for (const document of [...this.#documents.keys()].sort(compareDocuments)) {
      const snapshot = this.#documents.get(document)?.snapshot
      if (snapshot === undefined) continue
      const { state, folded } = snapshot
      const lost = [...this.#restated].find(([origin, seq]) => folded.get(origin) >= seq)
      if (lost === undefined) continue
      const record = stateRecord(document, state)
      if (record === undefined) this.#renewing.loseDocument(document)
      else this.#again.push(record)
    }
  }

  /** What is behind `keepSeq` under that name from now on is something else. */
  #lowerFolded(): void {
    for (const log of this.#logs.values()) log.foldedTo = 0
    for (const held of this.#documents.values()) {
      const { snapshot } = held
      if (snapshot === undefined || snapshot.folded.get(this.#cut.origin) <= this.#cut.keepSeq)
        continue
      const folded = foldedUpTo(snapshot.folded, this.#cut.origin, this.#cut.keepSeq)
      held.snapshot = { ...snapshot, folded }
    }
  }
}
