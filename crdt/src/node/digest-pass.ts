/**
 * Keeps the leaves of this node's documents up to date, in the background: a pass looks through
 * the documents that changed since the last one, some at a time, and leaves half of the time to
 * others, more while they write. What a stop cuts off is begun again where the last whole pass
 * ended. Rules [G1] [G2].
 */
import {
  bytesEqual,
  DecodeError,
  limits,
  partsOfDocumentId,
  Reader,
  Writer,
} from "../base/index.ts"
import type { DocumentId, Millis } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { bucketCount, bucketOf, deletedLeaf, isDeletedLeaf, vectorDigest } from "../log/index.ts"
import type { ChangedPage, DigestLeaf } from "../log/index.ts"
import type { Core } from "./core.ts"
import type { DigestTree } from "./digest-tree.ts"
import type { Divergences } from "./divergences.ts"
import { partsOf, reachOf } from "./document-state.ts"
import type { DocumentRead } from "./document-state.ts"
import type { Turn } from "./turn.ts"

/** Buckets whose sums are read at a time when a node starts. */
const bucketsPerRead = 1024
/** A store may go through all that changed to find a page. */
const documentsPerPage = 1024
/** Documents that are read and digested at once, before others have their time. */
const documentsAtOnce = 8

type ChangedDocument = ChangedPage["documents"][number]
type Changed = { readonly before: DigestLeaf | undefined; readonly after: DigestLeaf }

type Pass = {
  /** What leaves stand for once it is over. */
  readonly upTo: VersionVector
  readonly page: ChangedPage
  readonly leaves: Changed[]
  /** Documents of the page that were begun. */
  begun: number
  /** Of those: not done. */
  underWay: number
}

export class DigestPass {
  readonly #core: Core
  readonly #tree: DigestTree
  readonly #divergences: Divergences
  /** All leaves of entries up to here are current. */
  #digested = new VersionVector()
  #loadedBuckets = 0
  #pass: Pass | undefined
  /** Deleted since their leaves were made, for all that is known. */
  readonly #deleted: Set<DocumentId>
  /** When to do the next piece; Infinity while something is under way. */
  #dueMs: Millis
  #startedMs: Millis = 0
  /** At the end of the last piece. */
  #lastUndigested = 0

  constructor(core: Core, tree: DigestTree, divergences: Divergences, nowMs: Millis) {
    this.#core = core
    this.#tree = tree
    this.#divergences = divergences
    this.#deleted = new Set(core.lives.deletedBefore)
    this.#dueMs = nowMs + limits.digestPassMs
    for (const [name, note] of core.config.notes ?? []) {
      if (name === "digested") this.#digested = vectorIn(note)
    }
  }

  /** Whether the tree stands for anything yet. */
  get isReady(): boolean {
    return this.#loadedBuckets >= bucketCount
  }

  /** Entries that came since, for which no leaf may stand yet. */
  get undigested(): number {
    let entries = 0
    for (const [origin, seq] of this.#core.holdings.vector().entries()) {
      entries += Math.max(0, seq - this.#digested.get(origin))
    }
    return entries
  }

  deadline(): Millis {
    return this.#dueMs
  }

  onDeleted(documents: readonly DocumentId[]): void {
    for (const document of documents) this.#deleted.add(document)
  }

  onDeadline(turn: Turn): void {
    if (turn.nowMs < this.#dueMs) return
    this.#dueMs = Infinity
    this.#startedMs = turn.nowMs
    if (!this.isReady) this.#load(turn)
    else if (this.#pass === undefined) this.#begin(turn)
    else this.#next(turn, this.#pass)
  }

  #later(turn: Turn, waitMs: Millis): void {
    this.#dueMs = turn.nowMs + waitMs
  }

  /** It took its time; as much is left to others, and four times as much while they write. */
  #rest(turn: Turn): void {
    const { undigested } = this
    const isCalm = undigested === this.#lastUndigested
    this.#lastUndigested = undigested
    this.#later(turn, (isCalm ? 1 : 4) * (turn.nowMs - this.#startedMs))
  }

  #giveUp(turn: Turn): void {
    const { lives } = this.#core
    for (const { document } of this.#pass?.page.documents ?? []) {
      if (lives.isDeleted(document)) this.#deleted.add(document)
    }
    this.#pass = undefined
    this.#later(turn, limits.digestPassMs)
  }

  #load(turn: Turn): void {
    const from = this.#loadedBuckets
    const query = { type: "bucket-sums", from, count: bucketsPerRead } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (result.type !== "bucket-sums") {
        this.#giveUp(later)
        return
      }
      for (const [bucket, sum] of result.sums) this.#tree.load(bucket, sum)
      this.#loadedBuckets += bucketsPerRead
      this.#rest(later)
    })
  }

  #begin(turn: Turn): void {
    const upTo = this.#core.holdings.vector()
    if (this.#deleted.size > 0) this.#beginDeleted(turn)
    else if (this.#digested.coversAll(upTo)) this.#later(turn, limits.digestPassMs)
    else this.#readPage(turn, upTo, undefined)
  }

  /** A page of its own, which moves nothing on. */
  #beginDeleted(turn: Turn): void {
    const deleted = [...this.#deleted].slice(0, documentsPerPage)
    for (const document of deleted) this.#deleted.delete(document)
    const vector = new VersionVector()
    const documents = deleted.map((document) => ({ document, vector }))
    this.#take(turn, this.#digested, { documents, next: undefined })
  }

  #readPage(turn: Turn, upTo: VersionVector, after: DocumentId | undefined): void {
    const query = {
      type: "changed",
      since: this.#digested,
      after,
      limit: documentsPerPage,
    } as const
    this.#core.reads.start(turn, query, (later, page) => {
      if (page.type !== "changed") {
        this.#giveUp(later)
        return
      }
      this.#take(later, upTo, page)
    })
  }

  #take(turn: Turn, upTo: VersionVector, page: ChangedPage): void {
    this.#pass = { upTo, page, leaves: [], begun: 0, underWay: 0 }
    this.#rest(turn)
  }

  #next(turn: Turn, pass: Pass): void {
    const some = pass.page.documents.slice(pass.begun, pass.begun + documentsAtOnce)
    if (some.length === 0) {
      this.#write(turn, pass)
      return
    }
    pass.begun += some.length
    pass.underWay = some.length
    for (const changed of some) this.#look(turn, pass, changed)
  }

  #look(turn: Turn, pass: Pass, changed: ChangedDocument): void {
    const query = { type: "leaves", bucket: bucketOf(changed.document) } as const
    this.#core.reads.start(turn, query, (later, read) => {
      if (read.type === "leaves") this.#judge(later, pass, changed, read.leaves)
      else if (pass === this.#pass) this.#giveUp(later)
    })
  }

  #judge(turn: Turn, pass: Pass, changed: ChangedDocument, leaves: readonly DigestLeaf[]): void {
    const { document, vector } = changed
    const before = leaves.find((leaf) => leaf.document === document)
    if (this.#core.lives.isDeleted(document)) {
      const after = deletedLeaf(document)
      this.#divergences.judgeOwn(turn, after, false)
      if (before !== undefined && !isDeletedLeaf(before)) pass.leaves.push({ before, after })
      this.#done(turn, pass)
    } else if (before !== undefined && bytesEqual(before.vector, vectorDigest(vector))) {
      // Made by a pass that was cut off, or that had begun before the last entries came.
      this.#done(turn, pass)
    } else this.#read(turn, pass, document, before)
  }

  #read(turn: Turn, pass: Pass, document: DocumentId, before: DigestLeaf | undefined): void {
    const query = { type: "document", document, since: new VersionVector() } as const
    this.#core.reads.queue(turn, {}, query, (later, read) => {
      // One that can't be read, or is too large, has no leaf: it is reported elsewhere.
      if (read.type === "document") this.#digest(later, pass, { document, read, before })
      else this.#done(later, pass)
    })
  }

  #digest(
    turn: Turn,
    pass: Pass,
    found: { document: DocumentId; read: DocumentRead; before: DigestLeaf | undefined },
  ): void {
    const { document, read, before } = found
    const { engine } = partsOfDocumentId(document)
    const vector = vectorDigest(reachOf(read))
    const work = { type: "digest", engine, parts: partsOf(read) } as const
    this.#core.jobs.start(turn, work, (later, result) => {
      if (result.type === "digest") {
        const after: DigestLeaf = { document, vector, content: result.content }
        this.#divergences.judgeOwn(later, after, result.contradicts)
        pass.leaves.push({ before, after })
      }
      this.#done(later, pass)
    })
  }

  #done(turn: Turn, pass: Pass): void {
    pass.underWay -= 1
    if (pass.underWay === 0 && pass === this.#pass) this.#rest(turn)
  }

  #onPage(turn: Turn, upTo: VersionVector, next: DocumentId | undefined): void {
    if (next !== undefined) {
      this.#readPage(turn, upTo, next)
      return
    }
    this.#digested = upTo
    this.#later(turn, this.#deleted.size > 0 ? 0 : limits.digestPassMs)
  }

  #write(turn: Turn, { page, upTo, leaves }: Pass): void {
    const isOver = page.next === undefined
    if (leaves.length === 0 && this.#digested.coversAll(upTo)) {
      this.#pass = undefined
      this.#onPage(turn, upTo, page.next)
      return
    }
    const notes = isOver ? [["digested", bytesOf(upTo)] as const] : []
    const work = { leaves: leaves.map(({ after }) => after), notes }
    this.#core.commits.maintain({
      work,
      done: (later, result) => {
        if (!result.ok) {
          this.#giveUp(later)
          return
        }
        for (const { before, after } of leaves) this.#tree.replace(before, after)
        this.#pass = undefined
        this.#startedMs = later.nowMs
        this.#onPage(later, upTo, page.next)
      },
    })
  }
}

function bytesOf(vector: VersionVector): Uint8Array {
  const writer = new Writer()
  vector.encode(writer)
  return writer.finish()
}

function vectorIn(note: Uint8Array): VersionVector {
  try {
    return VersionVector.decode(new Reader(note))
  } catch (error) {
    if (error instanceof DecodeError) return new VersionVector()
    throw error
  }
}
