/**
 * A whole log in memory: the model every store is compared with, the body of the memory store,
 * and what the simulator's disk persists and loses. It assigns own sequence numbers, chains
 * hashes, and refuses what would leave a gap, break a chain or delete what is not folded. Its own
 * origin is fresh again after `renew` (ADR 8). Synchronous and pure. Rules [K1]–[K4].
 */
import { assert, Reader } from "../base/index.ts"
import type { ClientId, DocumentId, OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import { emptyHead } from "./chain.ts"
import type { Head } from "./chain.ts"
import { compareDocuments } from "./compare-documents.ts"
import { MemoryRenewal } from "./memory-renewal.ts"
import { OriginLog } from "./origin-log.ts"
import { isBehind, RecordPage } from "./record-page.ts"
import type { PageBounds, UndocumentedPage } from "./record-page.ts"
import { decodeRecordHead, isClusterRecord } from "./record.ts"
import { cutRecord } from "./renewal.ts"
import type { Cut, Renewal, RenewOptions } from "./renewal.ts"
import { SideTables } from "./side-tables.ts"
import { needsSnapshot } from "./snapshot.ts"
import type {
  ChangedPage,
  DocumentSnapshot,
  Foldable,
  LogBatch,
  LogEntry,
  LogRun,
  Snapshot,
} from "./snapshot.ts"

/** What is held of a document: entries that are there, and the snapshot. */
export type HeldDocument = { dots: Dot[]; snapshot: Snapshot | undefined }

export class MemoryLog {
  #origin: OriginId
  readonly #logs = new Map<OriginId, OriginLog>()
  readonly #documents = new Map<DocumentId, HeldDocument>()
  /** Entries of no document. */
  #undocumented: Dot[] = []
  #clients = new Map<ClientId, number>()
  /** What entries that were deleted said of clients. */
  #clientsBelow = new Map<ClientId, number>()
  readonly #cuts = new Map<OriginId, number>()
  #side = new SideTables()

  constructor(origin: OriginId) {
    this.#origin = origin
    this.#logOf(origin)
  }

  /** The own origin: what is written here is numbered under it. */
  get origin(): OriginId {
    return this.#origin
  }

  /** The same log once more; what is appended to one is not in the other. O(entries). */
  copy(): MemoryLog {
    const copy = new MemoryLog(this.#origin)
    for (const [origin, log] of this.#logs) copy.#logs.set(origin, log.copy())
    for (const [document, { dots, snapshot }] of this.#documents) {
      copy.#documents.set(document, { dots: dots.slice(), snapshot })
    }
    copy.#undocumented = this.#undocumented.slice()
    copy.#clients = new Map(this.#clients)
    copy.#clientsBelow = new Map(this.#clientsBelow)
    for (const [origin, seq] of this.#cuts) copy.#cuts.set(origin, seq)
    copy.#side = this.#side.copy()
    return copy
  }

  /** Makes `fresh` the own origin; what happens to the others says `MemoryRenewal`. O(entries). */
  renew(fresh: OriginId, options: RenewOptions = {}): Renewal {
    assert(!this.#logs.has(fresh), "a fresh origin was never used")
    const before = this.#origin
    const ownEnd = this.head(before).seq
    const { keepSeq = Infinity } = options
    const ends = { own: before, cut: { origin: before, keepSeq } }
    const renewal = new MemoryRenewal(this.#logs, this.#documents, ends, options)
    const { again, isSnapshotLost } = renewal.run(this.#origins())
    const { seq: kept } = this.head(before)
    const cut = keepSeq < ownEnd ? { origin: before, keepSeq: kept } : undefined
    if (cut !== undefined) this.#cuts.set(before, kept)
    if (kept === 0 && !this.#isHeldBySnapshot(before)) this.#logs.delete(before)
    if (isSnapshotLost) this.#clientsBelow.clear()
    this.#side.clear()
    this.#origin = fresh
    this.#logOf(fresh)
    this.#logAgain(again, cut)
    return renewal.finish(cut)
  }

  /**
   * Another branch of a peer's origin stays: this one ends at `keepSeq`, and what was behind that
   * is logged again under the own origin, which goes on. O(entries).
   */
  giveWay(cut: Cut, options: Pick<RenewOptions, "isDamaged"> = {}): Renewal {
    const { origin, keepSeq } = cut
    assert(origin !== this.#origin, "the own origin is renewed")
    const ends = { own: this.#origin, cut }
    const isCut = keepSeq < this.head(origin).seq
    const theirs = { ...options, keepSeq }
    const renewal = new MemoryRenewal(this.#logs, this.#documents, ends, theirs)
    const { again } = renewal.run([origin])
    const { seq: kept } = this.head(origin)
    const done = isCut ? { origin, keepSeq: kept } : undefined
    if (done !== undefined) this.#cuts.set(origin, kept)
    if (kept === 0 && !this.#isHeldBySnapshot(origin)) this.#logs.delete(origin)
    this.#side.clear()
    this.#logAgain(again, done)
    return renewal.finish(done)
  }

  #logAgain(again: readonly Uint8Array[], cut: Cut | undefined): void {
    this.#indexAgain()
    this.appendOwn(again)
    if (cut !== undefined) this.appendOwn([cutRecord(cut)])
  }

  #isHeldBySnapshot(origin: OriginId): boolean {
    const held = [...this.#documents.values()]
    return held.some(({ snapshot }) => (snapshot?.folded.get(origin) ?? 0) > 0)
  }

  /** Origins that were cut here for a fork, and where. */
  cuts(): readonly (readonly [OriginId, number])[] {
    return [...this.#cuts]
  }

  #indexAgain(): void {
    for (const [document, held] of this.#documents) {
      held.dots = []
      if (held.snapshot === undefined) this.#documents.delete(document)
    }
    this.#undocumented = []
    this.#clients = new Map(this.#clientsBelow)
    for (const [origin, log] of this.#logs) {
      for (const seq of log.seqs()) this.#index({ origin, seq }, this.#record({ origin, seq }))
    }
  }

  head(origin: OriginId): Head {
    return this.#logs.get(origin)?.head ?? emptyHead
  }

  /** Where the origin's log begins: what is above it is there whole. */
  floor(origin: OriginId): Head {
    return this.#logs.get(origin)?.floor ?? emptyHead
  }

  /** Heads of all origins held, the own one always among them, in stable order. */
  heads(): [OriginId, Head][] {
    return this.#origins().map((origin) => [origin, this.head(origin)])
  }

  /** The floors that are above the beginning, in stable order. */
  floors(): [OriginId, Head][] {
    const floors = this.#origins().map((origin): [OriginId, Head] => [origin, this.floor(origin)])
    return floors.filter(([, { seq }]) => seq > 0)
  }

  #origins(): OriginId[] {
    return [...this.#logs.keys()].sort((left, right) => (left < right ? -1 : 1))
  }

  #logOf(origin: OriginId): OriginLog {
    const log = this.#logs.get(origin) ?? new OriginLog(origin)
    this.#logs.set(origin, log)
    return log
  }

  /** Why `batch` would break a rule of snapshots and floors; undefined if it does not. */
  refusal({ snapshots = [], floors = [], raise = [] }: LogBatch): string | undefined {
    const soon = new Map<DocumentId, VersionVector>()
    for (const { document, folded } of snapshots) {
      const held = soon.get(document) ?? this.#documents.get(document)?.snapshot?.folded
      if (held !== undefined && !folded.coversAll(held)) {
        return `a snapshot of ${document} holds less than the one before`
      }
      soon.set(document, folded)
    }
    const raised = new VersionVector(raise.map(([origin, { seq }]) => [origin, seq]))
    for (const [origin, seq] of floors) {
      if (raised.covers({ origin, seq })) continue
      const why = this.#floorRefusal(origin, seq, soon)
      if (why !== undefined) return why
    }
    return undefined
  }

  #floorRefusal(
    origin: OriginId,
    seq: number,
    soon: ReadonlyMap<DocumentId, VersionVector>,
  ): string | undefined {
    if (seq <= this.floor(origin).seq) return undefined
    if (seq > this.head(origin).seq) return `a floor above the head of ${origin}`
    if (this.#foldedTo(origin, seq, soon) === seq) return undefined
    return `a floor over what is not folded, of ${origin}`
  }

  /** Writes the batch, which is not to be refused, and gives the seq of the first own record. */
  append(batch: LogBatch): number {
    const firstSeq = this.#move(batch)
    for (const snapshot of batch.snapshots ?? []) this.#putSnapshot(snapshot)
    for (const [origin, seq] of batch.floors ?? []) this.#truncate(origin, seq)
    for (const entry of batch.below ?? []) this.#putBelow(entry)
    for (const [client, seq] of batch.clients ?? []) {
      raiseClient(this.#clients, client, seq)
      raiseClient(this.#clientsBelow, client, seq)
    }
    this.#side.write(batch)
    return firstSeq
  }

  #move({ own, adopted, raise = [] }: LogBatch): number {
    for (const [origin, head] of raise) this.#raise(origin, head)
    const firstSeq = this.appendOwn(own)
    for (const run of adopted) this.appendRun(run)
    return firstSeq
  }

  /** Appends records of the own origin and gives the first one's seq. */
  appendOwn(records: readonly Uint8Array[]): number {
    const firstSeq = this.head(this.#origin).seq + 1
    this.appendRun({ origin: this.#origin, firstSeq, records })
    return firstSeq
  }

  /** Appends a run that must start right after what is held. */
  appendRun(run: LogRun): void {
    const { seq: end } = this.head(run.origin)
    assert(run.firstSeq === end + 1, () => `gap: ${run.origin} ${end} ${run.firstSeq}`)
    const { origin } = run
    const log = this.#logOf(origin)
    for (const record of run.records) this.#index({ origin, seq: log.push(record) }, record)
  }

  #index(dot: Dot, record: Uint8Array): void {
    const { document, author } = decodeRecordHead(new Reader(record))
    if (document === undefined) {
      this.#undocumented.push(dot)
      return
    }
    this.#hold(document).dots.push(dot)
    if (author !== undefined) raiseClient(this.#clients, author.client, author.seq)
  }

  #hold(document: DocumentId): HeldDocument {
    const held = this.#documents.get(document) ?? { dots: [], snapshot: undefined }
    this.#documents.set(document, held)
    return held
  }

  #raise(origin: OriginId, head: Head): void {
    assert(origin !== this.#origin, "the own origin is appended to, never raised")
    if (head.seq <= this.head(origin).seq) return
    const log = this.#logOf(origin)
    log.moveFloor(head)
    for (const held of this.#documents.values()) this.#dropFolded(held)
  }

  #putBelow({ origin, seq, record }: LogEntry): void {
    if (this.#logOf(origin).putBelow(seq, record)) this.#index({ origin, seq }, record)
  }

  #putSnapshot({ document, state, folded }: DocumentSnapshot): void {
    const held = this.#hold(document)
    held.snapshot = { state: state.slice(), folded: folded.clone() }
    for (const [origin] of folded.entries()) this.#logOf(origin)
    this.#dropFolded(held)
  }

  /** What is folded and below its floor is not kept. */
  #dropFolded(held: HeldDocument): void {
    const folded = held.snapshot?.folded
    if (folded === undefined) return
    held.dots = held.dots.filter((dot) => {
      if (!folded.covers(dot) || dot.seq > this.floor(dot.origin).seq) return true
      this.#drop(dot)
      return false
    })
  }

  #drop(dot: Dot): void {
    const { author } = decodeRecordHead(new Reader(this.#record(dot)))
    if (author !== undefined) raiseClient(this.#clientsBelow, author.client, author.seq)
    this.#logs.get(dot.origin)?.drop(dot.seq)
  }

  /**
   * The highest seq up to `seqMax` up to which all is folded, or of no document. `soon`: snapshots
   * that are to come.
   */
  #foldedTo(
    origin: OriginId,
    seqMax: number,
    soon?: ReadonlyMap<DocumentId, VersionVector>,
  ): number {
    const log = this.#logs.get(origin)
    if (log === undefined) return 0
    const end = Math.min(seqMax, log.head.seq)
    let foldedTo = Math.max(log.foldedTo, log.floor.seq)
    while (foldedTo < end && this.#isFolded({ origin, seq: foldedTo + 1 }, soon)) foldedTo += 1
    if (soon === undefined) log.foldedTo = foldedTo
    return Math.min(foldedTo, end)
  }

  #isFolded(dot: Dot, soon?: ReadonlyMap<DocumentId, VersionVector>): boolean {
    const { document } = decodeRecordHead(new Reader(this.#record(dot)))
    if (document === undefined || soon?.get(document)?.covers(dot) === true) return true
    return this.#documents.get(document)?.snapshot?.folded.covers(dot) === true
  }

  #truncate(origin: OriginId, seq: number): void {
    const log = this.#logs.get(origin)
    if (log === undefined || seq <= log.floor.seq) return
    const hash = log.hashAt(seq)
    assert(hash !== undefined && this.#foldedTo(origin, seq) === seq, "a floor over what is folded")
    const documents = new Set<HeldDocument>()
    for (let below = log.floor.seq + 1; below <= seq; below++) {
      const { document } = decodeRecordHead(new Reader(this.#record({ origin, seq: below })))
      if (document !== undefined) documents.add(this.#hold(document))
    }
    log.moveFloor({ seq, hash })
    for (const held of documents) this.#dropFolded(held)
  }

  /**
   * The snapshot, if who has what `since` covers needs it, and the document's entries that neither
   * covers, each origin's in order of seq.
   */
  readDocument(
    document: DocumentId,
    since = new VersionVector(),
  ): { snapshot: Snapshot | undefined; entries: LogEntry[] } {
    const { dots, snapshot: held } = this.#documents.get(document) ?? { dots: [] }
    const isNeeded =
      held !== undefined &&
      (since.size === 0 ||
        needsSnapshot(held.folded, since, (origin) => ({
          floor: this.floor(origin).seq,
          head: this.head(origin).seq,
        })))
    const snapshot = isNeeded ? held : undefined
    const entries = dots
      .filter((dot) => !since.covers(dot) && snapshot?.folded.covers(dot) !== true)
      .map((dot) => ({ ...dot, record: this.#record(dot) }))
    return { snapshot, entries }
  }

  /** Entries of no document, of kinds that are known. */
  clusterRecords(): LogEntry[] {
    const entries = this.#undocumented.map((dot) => ({ ...dot, record: this.#record(dot) }))
    return entries.filter(({ record }) => isClusterRecord(record))
  }

  /**
   * Records of `origin` from `fromSeq` on, which is above its floor, as many as fit `bytesMax` (at
   * least one if there is one), and the hash before the first.
   */
  readOrigin(
    origin: OriginId,
    fromSeq: number,
    bytesMax: number,
  ): { run: LogRun; previousHash: Uint8Array } {
    assert(fromSeq > this.floor(origin).seq, "an origin is read from above its floor")
    const { seq: end } = this.head(origin)
    const records: Uint8Array[] = []
    let bytes = 0
    for (let seq = fromSeq; seq <= end; seq++) {
      const record = this.#record({ origin, seq })
      bytes += record.length
      if (records.length > 0 && bytes > bytesMax) break
      records.push(record)
    }
    const previousHash = this.#logs.get(origin)?.hashAt(fromSeq - 1) ?? emptyHead.hash
    return { run: { origin, firstSeq: fromSeq, records }, previousHash }
  }

  /** The highest update number of `client` that the log ever held; 0 if none. */
  readClient(client: ClientId): number {
    return this.#clients.get(client) ?? 0
  }

  /** Documents behind `after` that have something `since` does not cover. O(documents). */
  readChanged(since: VersionVector, after: DocumentId | undefined, limit: number): ChangedPage {
    const changed = this.documentIds()
      .filter((document) => after === undefined || compareDocuments(document, after) > 0)
      .map((document) => ({ document, vector: this.#vectorOf(document) }))
      .filter(({ vector }) => !since.coversAll(vector))
    const documents = changed.slice(0, limit)
    const next = changed.length > limit ? documents.at(-1)?.document : undefined
    return { documents, next }
  }

  #vectorOf(document: DocumentId): VersionVector {
    const held = this.#documents.get(document)
    const vector = held?.snapshot?.folded.clone() ?? new VersionVector()
    for (const { origin, seq } of held?.dots ?? []) vector.raise(origin, seq)
    return vector
  }

  /** What compaction could work on, among entries up to `upTo`. */
  readFoldable(upTo: VersionVector, limit: number): Foldable {
    const documents = new Set<DocumentId>()
    const floors: [OriginId, number][] = []
    for (const [origin, seqMax] of upTo.entries()) {
      const foldedTo = this.#foldedTo(origin, seqMax)
      if (foldedTo > this.floor(origin).seq) floors.push([origin, foldedTo])
      const end = Math.min(seqMax, this.head(origin).seq)
      for (let seq = foldedTo + 1; seq <= end && documents.size < limit; seq++) {
        const { document } = decodeRecordHead(new Reader(this.#record({ origin, seq })))
        if (document !== undefined && !this.#isFolded({ origin, seq })) documents.add(document)
      }
    }
    return { documents: [...documents], floors, ...this.sizes() }
  }

  /** Bytes of records and of snapshots. O(documents). */
  sizes(): { logBytes: number; snapshotBytes: number } {
    let logBytes = 0
    let snapshotBytes = 0
    for (const log of this.#logs.values()) logBytes += log.bytes
    for (const { snapshot } of this.#documents.values()) {
      snapshotBytes += snapshot?.state.length ?? 0
    }
    return { logBytes, snapshotBytes }
  }

  /** Leaves and notes. */
  get side(): Pick<SideTables, "notes" | "leaves" | "bucketSums"> {
    return this.#side
  }

  /** Entries of no document behind `after` that `since` does not cover. O(those of no document). */
  readUndocumented(
    query: PageBounds & { readonly since: VersionVector; readonly after: Dot | undefined },
  ): { readonly type: "undocumented" } & UndocumentedPage {
    const page = new RecordPage(query)
    const dots = this.#undocumented
      .filter((dot) => isBehind(dot, query.after) && !query.since.covers(dot))
      .sort((one, other) => (isBehind(one, other) ? 1 : -1))
    for (const dot of dots) if (!page.take({ ...dot, record: this.#record(dot) })) break
    return page.finish()
  }

  /** Clients behind `after` with their highest update numbers, in order. O(clients). */
  readClients(after: ClientId | undefined, limit: number): [ClientId, number][] {
    const clients = [...this.#clients].filter(([client]) => after === undefined || client > after)
    return clients.sort(([left], [right]) => (left < right ? -1 : 1)).slice(0, limit)
  }

  /** The entry's record, if it is there. */
  record({ origin, seq }: Dot): Uint8Array | undefined {
    return this.#logs.get(origin)?.record(seq)
  }

  /** The chain's hash at an entry that is there, or at the floor. */
  hashAt({ origin, seq }: Dot): Uint8Array | undefined {
    return this.#logs.get(origin)?.hashAt(seq)
  }

  documentIds(): DocumentId[] {
    return [...this.#documents.keys()].sort(compareDocuments)
  }

  #record({ origin, seq }: Dot): Uint8Array {
    const record = this.#logs.get(origin)?.record(seq)
    assert(record !== undefined, () => `no entry ${origin} ${seq}`)
    return record
  }
}

function raiseClient(clients: Map<ClientId, number>, client: ClientId, seq: number): void {
  if (seq > (clients.get(client) ?? 0)) clients.set(client, seq)
}
