/**
 * Renews a log in doubt by writing it anew: what can be trusted goes into a new database, which
 * then takes the place of the old one; what is readable behind an end moves to the fresh own
 * origin, as in MemoryLog's `renew`. So nothing that was damaged in LevelDB's own files stays, and
 * until the new one is whole the old one is as it was. O(log). Rules [E1] [E3] [E4] [K5].
 */
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import { cutRecord, emptyHead, foldedUpTo, stateRecord } from "@causeway/crdt/log"
import type { Cut, Head, Renewal } from "@causeway/crdt/log"
import { ChainScan, Salvage, TailScan } from "../salvage.ts"
import { BatchWriter } from "./batch-writer.ts"
import type { LogParts } from "./batch-writer.ts"
import { newOrigin } from "./heads.ts"
import type { HeldOrigin } from "./heads.ts"
import { clientOfKey, documentKey, documentKeys, documentOfKnownKey, dotOfKey } from "./keys.ts"
import { entryRange, rangeOf, seqOfEntryKey } from "./keys.ts"
import type { Folded, Summary } from "./summaries.ts"
import { decodeNumber, decodeValue, openValue } from "./values.ts"

/** A batch of the new database is written when it has so many bytes. */
const batchBytes = 1024 * 1024

export type RebuildPlan = {
  /** The own origin until now, and from now on: for a fork of another origin the same. */
  readonly before: OriginId
  readonly own: OriginId
  /** Where an origin ends at the latest, for a fork. */
  readonly cut: Cut
}

export type Rebuilt = { readonly renewal: Renewal; readonly own: HeldOrigin }

export class LogRebuild {
  readonly #from: LogParts
  readonly #to: LogParts
  readonly #plan: RebuildPlan
  readonly #salvage: Salvage
  /** Origins of which a lost snapshot held entries that are nowhere else. */
  readonly #gone = new Set<OriginId>()
  /** Origins of which it is not known where they begin. */
  readonly #headless = new Set<OriginId>()
  /** From where on an origin's effects are logged again with the states that hold them. */
  readonly #restated = new Map<OriginId, number>()
  #writer: BatchWriter
  #own: HeldOrigin
  #kept = 0

  constructor(
    from: LogParts,
    to: LogParts,
    plan: RebuildPlan,
    onProgress: (message: string) => void,
  ) {
    this.#from = from
    this.#to = to
    this.#plan = plan
    this.#salvage = new Salvage(onProgress)
    this.#writer = new BatchWriter(to)
    this.#own = newOrigin(plan.own)
  }

  async run(): Promise<Rebuilt> {
    const damaged = await this.#damagedSnapshots()
    for (const held of await this.#allOrigins()) await this.#end(held)
    await this.#copySnapshots(damaged)
    if (this.#gone.size === 0) await this.#copyClients()
    const { cut } = this.#plan
    const isCut = cut.keepSeq < (this.#from.origins.get(cut.origin)?.head.seq ?? 0)
    const done = isCut ? { origin: cut.origin, keepSeq: this.#kept } : undefined
    if (done !== undefined) this.#logAgain(cutRecord(done))
    this.#writer.setHeld(this.#own)
    await this.#writer.write()
    return { renewal: this.#salvage.finish(done), own: this.#own }
  }

  async #allOrigins(): Promise<HeldOrigin[]> {
    const { origins } = this.#from
    if (!origins.isWhole) await this.#findOrigins()
    const all = origins.all().toSorted((left, right) => (left.origin < right.origin ? -1 : 1))
    // One that goes on is there before anything is added to it.
    const isGoingOn = ({ origin }: HeldOrigin): boolean => origin === this.#plan.own
    return [...all.filter(isGoingOn), ...all.filter((held) => !isGoingOn(held))]
  }

  /** Origins with entries whose head is lost: their last entry says how far they go. O(log). */
  async #findOrigins(): Promise<void> {
    const { database, origins } = this.#from
    const ends = new Map<OriginId, { readonly first: number; last: number }>()
    for await (const page of database.keyPages(rangeOf("e"))) {
      for (const dot of page.map(dotOfKey)) {
        if (dot === undefined || origins.get(dot.origin) !== undefined) continue
        const end = ends.get(dot.origin) ?? { first: dot.seq, last: dot.seq }
        end.last = dot.seq
        ends.set(dot.origin, end)
      }
    }
    for (const [origin, { first, last }] of ends) {
      const { salt, head } = newOrigin(origin)
      const floor = { ...head, seq: first - 1 }
      origins.set({ origin, salt, floor, head: { ...head, seq: last } })
      // No hash of its chain is known: nothing of it counts as an end.
      this.#headless.add(origin)
      this.#restateFrom(origin, 1)
    }
  }

  /** A snapshot whose entries are all in the log still is no loss. */
  async #damagedSnapshots(): Promise<Set<DocumentId>> {
    const damaged = new Set<DocumentId>()
    for await (const [document, summary] of this.#snapshots()) {
      if (this.#state(document) !== undefined && summary.folded !== undefined) continue
      damaged.add(document)
      const floored = this.#from.origins.all().filter(({ floor }) => floor.seq > 0)
      const gone = floored.filter(({ origin }) => summary.folded?.vector.get(origin) !== 0)
      for (const { origin } of gone) {
        this.#gone.add(origin)
        // What other snapshots hold of it nobody would be told of any more.
        this.#restateFrom(origin, 1)
      }
      if (gone.length > 0) this.#salvage.renewing.loseDocument(document)
    }
    return damaged
  }

  /** Documents that have a snapshot, in their order. */
  async *#snapshots(): AsyncGenerator<[DocumentId, Summary]> {
    for await (const page of this.#from.database.readablePages(rangeOf("t"))) {
      for (const [key] of page) {
        const named = documentOfKnownKey(key)
        if (named?.which !== "f") continue
        yield [named.document, this.#from.summaries.get(documentKey(named.document))]
      }
    }
  }

  #state(document: DocumentId): Uint8Array | undefined {
    const key = documentKeys.state(documentKey(document))
    return openValue(key, this.#from.database.getReadable(key))
  }

  async #end(held: HeldOrigin): Promise<void> {
    const { origin, floor } = held
    const { cut, own } = this.#plan
    const end = await this.#endOf(held)
    await this.#copy(held, end)
    if (end !== undefined) this.#writer.setHeld({ ...held, head: end })
    else if (origin !== cut.origin) this.#writer.setHeld(newOrigin(origin))
    if (origin === own) this.#own = { ...held, head: end ?? emptyHead }
    if (origin !== cut.origin) return
    // Without entries it is known only if a snapshot that is kept names it.
    this.#kept = end?.seq ?? 0
    if (cut.keepSeq < floor.seq) this.#restateFrom(origin, cut.keepSeq + 1)
  }

  /** Undefined: at its beginning. */
  async #endOf(held: HeldOrigin): Promise<Head | undefined> {
    const { cut } = this.#plan
    const scan = new ChainScan(held, held.origin === cut.origin ? cut.keepSeq : Infinity)
    for await (const [seq, entry] of this.#entries(held)) scan.take(seq, entry)
    const isEndless = this.#gone.has(held.origin) || this.#headless.has(held.origin)
    return isEndless ? undefined : scan.end
  }

  /** Entries up to the end go on as they are, those behind it under the fresh origin. */
  async #copy(held: HeldOrigin, end: Head | undefined): Promise<void> {
    const { origin } = held
    const { own } = this.#plan
    const tail = new TailScan(this.#salvage, held, own, end?.seq ?? 0, this.#gone.has(origin))
    for await (const [seq, entry] of this.#entries(held)) {
      this.#salvage.noteSeen()
      if (end !== undefined && seq <= end.seq) this.#writer.putEntry({ origin, seq }, entry)
      else this.#logAgain(tail.take(seq, entry))
      await this.#flush()
    }
    tail.finish()
    if (tail.firstLost !== undefined) this.#restateFrom(origin, tail.firstLost)
  }

  /** Those that are there, in order of seq, sound or not. */
  async *#entries({ origin, head }: HeldOrigin): AsyncGenerator<readonly [number, Buffer]> {
    const range = entryRange(origin, 1, head.seq)
    for await (const page of this.#from.database.readablePages(range)) {
      for (const [key, entry] of page) yield [seqOfEntryKey(key), entry]
    }
  }

  #logAgain(record: Uint8Array | undefined): void {
    if (record !== undefined) this.#own = this.#writer.append(this.#own, record)
  }

  #restateFrom(origin: OriginId, seq: number): void {
    this.#restated.set(origin, Math.min(seq, this.#restated.get(origin) ?? seq))
  }

  /** States that hold what their origins lost are logged again; all others go on as snapshots. */
  async #copySnapshots(damaged: ReadonlySet<DocumentId>): Promise<void> {
    for await (const [document, { folded }] of this.#snapshots()) {
      const state = damaged.has(document) ? undefined : this.#state(document)
      if (state === undefined || folded === undefined) continue
      if (this.#isRestated(folded)) {
        const record = stateRecord(document, state)
        if (record === undefined) this.#salvage.renewing.loseDocument(document)
        else this.#salvage.noteLogged()
        this.#logAgain(record)
      }
      const { cut } = this.#plan
      const lowered = foldedUpTo(folded.vector, cut.origin, cut.keepSeq)
      this.#writer.putSnapshot({ document, state, folded: lowered })
      await this.#flush()
    }
  }

  #isRestated({ vector }: Folded): boolean {
    return [...this.#restated].some(([origin, seq]) => vector.get(origin) >= seq)
  }

  async #copyClients(): Promise<void> {
    for await (const page of this.#from.database.readablePages(rangeOf("k"))) {
      for (const [key, value] of page) {
        const client = clientOfKey(key)
        const seq = decodeValue(key, value, decodeNumber)
        if (client !== undefined && seq !== undefined) this.#writer.raiseClientBelow(client, seq)
      }
      await this.#flush()
    }
  }

  async #flush(): Promise<void> {
    if (this.#writer.bytes < batchBytes) return
    await this.#writer.write()
    this.#writer = new BatchWriter(this.#to)
  }
}
