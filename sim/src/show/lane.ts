/**
 * What something was in from when to when: up or down, on which side of a split, connected to
 * whom. A lane keeps a bounded number of spans: past it, spans that are short and close become
 * one, which is called what most of it was and knows how many it stands for.
 */
import type { Millis } from "@causeway/crdt/base"

export type Span = {
  readonly fromMs: Millis
  /** The same as `fromMs` for what takes no time. */
  readonly toMs: Millis
  /** A word out of few, which decides how it looks. */
  readonly what: string
  readonly detail: string
  /** How many it stands for. */
  readonly count: number
}

/** Past it, spans are merged. */
export const SPANS_MAX = 1024

export class Lane {
  #spans: Span[] = []
  #open: { readonly fromMs: Millis; readonly what: string; readonly detail: string } | undefined

  /** What it is now, in all detail. */
  get now(): string | undefined {
    return this.#open === undefined ? undefined : `${this.#open.what} ${this.#open.detail}`
  }

  /** From now on it is `what`; undefined: nothing worth showing. */
  set(nowMs: Millis, what: string | undefined, detail = ""): void {
    const open = this.#open
    if (open?.what === what && (open === undefined || open.detail === detail)) return
    if (open !== undefined && nowMs > open.fromMs) this.#add({ ...open, toMs: nowMs, count: 1 })
    this.#open = what === undefined ? undefined : { fromMs: nowMs, what, detail }
  }

  /** Something without a duration. */
  mark(nowMs: Millis, what: string, detail = ""): void {
    this.#add({ fromMs: nowMs, toMs: nowMs, what, detail, count: 1 })
  }

  /** All spans in order; what still lasts ends at `nowMs`. */
  spans(nowMs: Millis): readonly Span[] {
    if (this.#open === undefined) return [...this.#spans]
    return [...this.#spans, { ...this.#open, toMs: nowMs, count: 1 }]
  }

  #add(span: Span): void {
    this.#spans.push(span)
    if (this.#spans.length < SPANS_MAX) return
    this.#spans = merged(this.#spans, (4 * span.toMs) / SPANS_MAX)
  }
}

/**
 * Joins neighbours with less than `gapMs` between them of which one at least is shorter than
 * that. What is left of T ms are at most 2 T / gapMs + 2 spans.
 */
export function merged(spans: readonly Span[], gapMs: Millis): Span[] {
  const result: Span[] = []
  for (const span of spans) {
    const last = result.at(-1)
    if (last === undefined || !belong(last, span, gapMs)) result.push(span)
    else result[result.length - 1] = join(last, span)
  }
  return result
}

function belong(left: Span, right: Span, gapMs: Millis): boolean {
  return right.fromMs - left.toMs < gapMs && Math.min(length(left), length(right)) < gapMs
}

function join(left: Span, right: Span): Span {
  const { what, detail } = length(right) > length(left) ? right : left
  const count = left.count + right.count
  return { fromMs: left.fromMs, toMs: Math.max(left.toMs, right.toMs), what, detail, count }
}

function length({ fromMs, toMs }: Span): Millis {
  return toMs - fromMs
}
