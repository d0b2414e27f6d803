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

/** Counts what changes on one side; documents by name, up to a bound. */
export class Side {
  entries = 0
  isLowerBound = false
  readonly #documents = new Set<DocumentId>()

  add(document: DocumentId): void {
    this.entries += 1
    if (this.#documents.has(document)) return
    if (this.#documents.size < limits.partitionDocumentsMax) this.#documents.add(document)
    else this.isLowerBound = true
  }

  /** It changed in ways that can't be counted: as a state, not as entries. */
  touch(document: DocumentId): void {
    this.add(document)
    this.entries -= 1
    this.isLowerBound = true
  }

  copy(): Side {
    const copy = new Side()
    for (const document of this.#documents) copy.#documents.add(document)
    copy.entries = this.entries
    copy.isLowerBound = this.isLowerBound
    return copy
  }

  report(): SideReport {
    return { entries: this.entries, documents: this.#documents.size }
  }

  /** The documents of both, in order. */
  shared(other: Side): PartitionReport["both"] {
    const shared = [...this.#documents].filter((document) => other.#documents.has(document))
    shared.sort((left, right) => (left < right ? -1 : 1))
    return { documents: shared.length, named: shared.slice(0, limits.partitionNamedMax) }
  }
}
