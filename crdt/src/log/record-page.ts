/**
 * One page of entries of no document, in the one order that all stores tell them in, so that
 * whoever is asked for the next page goes on where another one stopped. Rule [K7].
 */
import type { Dot } from "../clock/index.ts"
import type { LogEntry } from "./snapshot.ts"

export type UndocumentedPage = {
  /** In order of their origins' names, and of seq. */
  readonly entries: readonly LogEntry[]
  /** Where the next page starts (`after`); undefined if this was the last. */
  readonly next: Dot | undefined
}

export type PageBounds = { readonly limit: number; readonly bytesMax: number }

export class RecordPage {
  readonly #bounds: PageBounds
  readonly #entries: LogEntry[] = []
  #bytes = 0
  #isFull = false

  constructor(bounds: PageBounds) {
    this.#bounds = bounds
  }

  /** Takes entries in order, at least one. False: the page is full, and this one is of the next. */
  take(entry: LogEntry): boolean {
    const { limit, bytesMax } = this.#bounds
    const bytes = this.#bytes + entry.record.length
    const fits = this.#entries.length < limit && bytes <= bytesMax
    this.#isFull = this.#entries.length > 0 && !fits
    if (this.#isFull) return false
    this.#entries.push(entry)
    this.#bytes = bytes
    return true
  }

  finish(): { readonly type: "undocumented" } & UndocumentedPage {
    const last = this.#entries.at(-1)
    const next = this.#isFull && last ? { origin: last.origin, seq: last.seq } : undefined
    return { type: "undocumented", entries: this.#entries, next }
  }
}

/** Whether `dot` comes behind `after` in that order. */
export function isBehind(dot: Dot, after: Dot | undefined): boolean {
  if (after === undefined) return true
  return dot.origin === after.origin ? dot.seq > after.seq : dot.origin > after.origin
}
