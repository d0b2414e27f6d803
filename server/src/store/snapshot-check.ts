/**
 * Whether snapshots can be read, asked before what they hold is deleted from the log: each is read
 * back once after it was written, checksum and vector, and remembered until it is written again or
 * a batch fails. What it sees is what the store reads, which may be the operating system's cache.
 * Rule [K12].
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { Dot, VersionVector } from "@causeway/crdt/clock"
import { GenerationCache } from "./cache.ts"

/** Past it the least recently asked for are read again. */
const rememberedMax = 32_768

/** What a sound snapshot holds, and how much was read to know it; undefined: it is not sound. */
export type ReadBack = { readonly folded: VersionVector; readonly bytes: number } | undefined

/** How much may be read; with none left, nothing is. */
export type ReadBudget = { bytes: number }

/** How far a floor can move, and whose snapshot holds it up if that can't be read. */
export type FloorReach = { readonly seq: number; readonly unreadable?: DocumentId | undefined }

export class SnapshotCheck {
  readonly #read: (document: DocumentId) => ReadBack
  readonly #sound = new GenerationCache<DocumentId, VersionVector>(rememberedMax)

  constructor(read: (document: DocumentId) => ReadBack) {
    this.#read = read
  }

  /** Whether the document's snapshot holds `dot` and can be read. */
  holds(document: DocumentId, dot: Dot, budget: ReadBudget): "yes" | "no" | "unread" {
    if (this.#sound.get(document)?.covers(dot) === true) return "yes"
    if (budget.bytes <= 0) return "unread"
    const found = this.#read(document)
    if (found === undefined) return "no"
    budget.bytes -= found.bytes
    this.#sound.set(document, found.folded)
    return found.folded.covers(dot) ? "yes" : "no"
  }

  /** It is written anew. */
  forget(document: DocumentId): void {
    this.#sound.delete(document)
  }

  forgetAll(): void {
    this.#sound.clear()
  }
}
