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
  /** Refused or discarded before it was in storage. */
  isVoid: boolean
}

export class HandIns {
  readonly #unnumbered: HandIn[] = []
  readonly #unstored: HandIn[] = []
  readonly #unsafe: HandIn[] = []
  /** Numbers; also of such as nobody handed in, until storage is past them. */
  readonly #void = new Set<number>()

  add(tab: TabId, update: TabUpdate): void {
    this.#unnumbered.push({ tab, update, seq: 0, isVoid: false })
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
    for (const handIn of stored) handIn.isVoid = this.#void.has(handIn.seq)
    for (const each of this.#void) if (each <= seq) this.#void.delete(each)
    this.#unsafe.push(...stored)
    return stored
  }

  /** A number may come before it is told to be that of what was handed in. */
  giveUp(what: number | DocumentId): void {
    if (typeof what === "number") this.#void.add(what)
    for (const { seq, update } of this.#unstored) {
      if (update.document === what) this.#void.add(seq)
    }
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
