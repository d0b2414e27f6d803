/**
 * What one tab typed, numbered over all its documents, until its leader has it where it outlives
 * that leader: who leads next is sent the rest again, in order. Rules [H3] [H4].
 */
import type { DocumentId } from "../../base/index.ts"
import type { Uncounted } from "./tab-effect.ts"
import { tabLimits } from "./tab-limits.ts"
import type { TabUpdate } from "./tab-message.ts"

export class TabOutbox {
  /** By number, in order. */
  readonly #updates = new Map<number, TabUpdate>()
  #last = 0
  /** Numbers that this leader has taken in, and those that it has in storage. */
  #seen = 0
  #stored = 0
  #bytes = 0
  /** Above `#seen`. */
  readonly #uncounted = new Map<DocumentId, number>()
  readonly #total = { count: 0, bytes: 0 }

  get last(): number {
    return this.#last
  }

  get stored(): number {
    return this.#stored
  }

  get isEmpty(): boolean {
    return this.#updates.size === 0
  }

  add(document: DocumentId, generation: number, bytes: Uint8Array): TabUpdate {
    this.#last += 1
    const update = { document, number: this.#last, generation, bytes }
    this.#updates.set(this.#last, update)
    this.#bytes += bytes.length
    this.#count(update, 1)
    return update
  }

  /** A new leader, that has seen nothing yet. */
  restart(): void {
    this.#seen = 0
    this.#stored = 0
    this.#uncounted.clear()
    this.#total.count = 0
    this.#total.bytes = 0
    for (const update of this.#updates.values()) this.#count(update, 1)
  }

  /** True if that is news. */
  seen(number: number): boolean {
    const before = this.#seen
    this.#seen = Math.max(before, Math.min(number, this.#last))
    for (let each = before + 1; each <= this.#seen; each++) {
      const update = this.#updates.get(each)
      if (update !== undefined) this.#count(update, -1)
    }
    return this.#seen > before
  }

  kept(stored: number, safe: number): void {
    this.seen(Math.max(stored, safe))
    this.#stored = Math.max(this.#stored, Math.min(stored, this.#last))
    for (const [number, { bytes }] of this.#updates) {
      if (number > safe) break
      this.#updates.delete(number)
      this.#bytes -= bytes.length
    }
  }

  hasUnstored(document: DocumentId): boolean {
    for (let number = this.#last; number > this.#stored; number--) {
      const update = this.#updates.get(number)
      if (update === undefined) return false
      if (update.document === document) return true
    }
    return false
  }

  /** What the leader's own counts leave out. */
  get uncounted(): Uncounted {
    const { count, bytes } = this.#total
    return { count, bytes, full: this.#bytes > tabLimits.tabOutboxBytesMax }
  }

  uncountedOf(document: DocumentId): number {
    return this.#uncounted.get(document) ?? 0
  }

  #count({ document, bytes }: TabUpdate, sign: 1 | -1): void {
    const count = this.uncountedOf(document) + sign
    if (count === 0) this.#uncounted.delete(document)
    else this.#uncounted.set(document, count)
    this.#total.count += sign
    this.#total.bytes += sign * bytes.length
  }

  /** All there is, in order, in lists of `messageBytesMax`. */
  lists(): TabUpdate[][] {
    const lists: TabUpdate[][] = []
    let bytes = Infinity
    for (const update of this.#updates.values()) {
      bytes += update.bytes.length
      const list = bytes > tabLimits.messageBytesMax ? undefined : lists.at(-1)
      if (list === undefined) {
        lists.push([update])
        bytes = update.bytes.length
      } else list.push(update)
    }
    return lists
  }
}
