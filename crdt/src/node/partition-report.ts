/**
 * What a node says after a split: when, from whom, what changed on each side meanwhile, and how
 * long it took until both had it. Counts of entries are exact unless `isLowerBound`; documents are
 * told apart up to `partitionDocumentsMax` a side, past it they are "at least". Rules [P2] [P3].
 */
import { limits } from "../base/index.ts"
import type { DocumentId, Millis, NodeId } from "../base/index.ts"

/** What changed on one side. */
export type SideReport = {
  readonly entries: number
  readonly documents: number
}

export type PartitionReport = {
  /** When the first of `members` was last heard. */
  readonly sinceMs: Millis
  /** When the first of them was linked again, and the last. */
  readonly backMs: Millis
  readonly allBackMs: Millis
  /** When all of them and this node held what the others held then; undefined: not yet. */
  readonly convergedMs: Millis | undefined
  /** Who was out of reach, in order. */
  readonly members: readonly NodeId[]
  readonly here: SideReport
  readonly there: SideReport
  /** Documents that changed on both sides: how many, and the first `partitionNamedMax` of them. */
  readonly both: { readonly documents: number; readonly named: readonly DocumentId[] }
  /** Bytes of updates that came to heal it, and of what was sent to the members meanwhile. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** More may have changed than is counted. */
  readonly isLowerBound: boolean
}

/** So often it is kept who changed a document; past it what each did is a lower bound. */
const AUTHORS_MAX = 4 * limits.partitionDocumentsMax

/** Counts what changes on one side; documents by name, up to a bound. */
export class Side {
  entries = 0
  isLowerBound = false
  /** Who changed each, where that is asked for. */
  readonly #documents = new Map<DocumentId, Set<NodeId>>()
  readonly #entriesBy = new Map<NodeId, number>()
  /** Of all documents together. */
  #authors = 0
  #areAuthorsMissing = false

  /** `by`: a member whose log it is in. */
  add(document: DocumentId, by?: NodeId): void {
    this.entries += 1
    if (by !== undefined) this.#entriesBy.set(by, (this.#entriesBy.get(by) ?? 0) + 1)
    let authors = this.#documents.get(document)
    if (authors === undefined) {
      if (this.#documents.size >= limits.partitionDocumentsMax) {
        this.isLowerBound = true
        return
      }
      authors = new Set()
      this.#documents.set(document, authors)
    }
    if (by === undefined || authors.has(by)) return
    if (this.#authors < AUTHORS_MAX) {
      authors.add(by)
      this.#authors += 1
    } else this.#areAuthorsMissing = true
  }

  /** It changed in ways that can't be counted: as a state, not as entries. */
  touch(document: DocumentId): void {
    this.add(document)
    this.entries -= 1
    this.isLowerBound = true
  }

  copy(): Side {
    const copy = new Side()
    for (const [document, authors] of this.#documents) {
      copy.#documents.set(document, new Set(authors))
    }
    for (const [by, entries] of this.#entriesBy) copy.#entriesBy.set(by, entries)
    copy.#authors = this.#authors
    copy.#areAuthorsMissing = this.#areAuthorsMissing
    copy.entries = this.entries
    copy.isLowerBound = this.isLowerBound
    return copy
  }

  /** What these changed of it. */
  changedBy(nodes: ReadonlySet<NodeId>): Side {
    const part = new Side()
    for (const [document, authors] of this.#documents) {
      const kept = [...authors].filter((author) => nodes.has(author))
      if (kept.length > 0) part.#documents.set(document, new Set(kept))
      part.#authors += kept.length
    }
    for (const [by, entries] of this.#entriesBy) {
      if (!nodes.has(by)) continue
      part.#entriesBy.set(by, entries)
      part.entries += entries
    }
    part.isLowerBound = this.isLowerBound || this.#areAuthorsMissing
    return part
  }

  report(): SideReport {
    return { entries: this.entries, documents: this.#documents.size }
  }

  /** The documents of both, in order. */
  shared(other: Side): PartitionReport["both"] {
    const shared = [...this.#documents.keys()].filter((document) => other.#documents.has(document))
    shared.sort((left, right) => (left < right ? -1 : 1))
    return { documents: shared.length, named: shared.slice(0, limits.partitionNamedMax) }
  }
}
