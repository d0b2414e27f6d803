/**
 * Updates of tabs on their way through their leader: handed in, then numbered, then in storage,
 * then where they outlive it; in that order and one after the other.
 */
import { assert } from "../../base/index.ts"
import type { DocumentId } from "../../base/index.ts"
import type { TabId, TabUpdate } from "./tab-message.ts"

export type HandIn = {
  readonly tab: TabId
  readonly update: TabUpdate
  /** In the client's outbox. */
  seq: number
}

export class HandIns {
  readonly #unnumbered: HandIn[] = []
  readonly #unstored: HandIn[] = []
  readonly #unsafe: HandIn[] = []

  add(tab: TabId, update: TabUpdate): void {
    this.#unnumbered.push({ tab, update, seq: 0 })
  }

  /** The oldest without a number has this one. */
  numbered(seq: number): void {
    const oldest = this.#unnumbered.shift()
    assert(oldest !== undefined, "handed in by nobody")
    oldest.seq = seq
    this.#unstored.push(oldest)
  }

  /** Gives those that are in storage from now on. */
  stored(seq: number): HandIn[] {
    const stored = taken(this.#unstored, seq)
    this.#unsafe.push(...stored)
    return stored
  }

  /** Gives those that are safe from now on. */
  safe(seq: number): HandIn[] {
    return taken(this.#unsafe, seq)
  }

  /** Not in storage. */
  unstoredOf(document: DocumentId): HandIn[] {
    const all = [...this.#unstored, ...this.#unnumbered]
    return all.filter(({ update }) => update.document === document)
  }
}

/** Takes those up to `seq` off the front. */
function taken(entries: HandIn[], seq: number): HandIn[] {
  const end = entries.findIndex((entry) => entry.seq > seq)
  return entries.splice(0, end === -1 ? entries.length : end)
}
