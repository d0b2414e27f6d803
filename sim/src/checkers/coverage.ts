/**
 * Sets of operations, as disjoint ranges per writer: what was attempted, what is durable on a
 * node, what a client holds. Operations have names that are given once (Yjs: client and clock;
 * Automerge: a change's hash), so they are the unique token that every write carries.
 */
import * as Y from "yjs"
import type { Engine, Span } from "@causeway/crdt/engines"

/** What an update writes and, for Yjs, which operations it deletes. */
export type Ops = { readonly added: readonly Span[]; readonly deleted: readonly Span[] }

/** Reads an update without the product's Yjs decoder, so that a mistake there can't hide here. */
export function opsOf(engine: Engine, update: Uint8Array): Ops {
  if (engine.name === "automerge") {
    const added = engine.validate(update).gives.map((hash) => ({ writer: hash, from: 0, to: 1 }))
    return { added, deleted: [] }
  }
  const { structs, ds } = Y.decodeUpdate(update)
  const added: Span[] = []
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue
    const { client, clock } = struct.id
    added.push({ writer: String(client), from: clock, to: clock + struct.length })
  }
  const deleted: Span[] = []
  for (const [client, ranges] of ds.clients) {
    const writer = String(client)
    for (const { clock, len } of ranges) deleted.push({ writer, from: clock, to: clock + len })
  }
  return { added, deleted }
}

class Ranges {
  /** Start and end in turn, ascending, never touching. */
  readonly #bounds: number[] = []

  add(from: number, to: number): void {
    const bounds = this.#bounds
    const last = bounds.at(-1)
    if (last === undefined || from > last) {
      bounds.push(from, to)
      return
    }
    // Ranges that touch [from, to]: those that end at or after `from` and start at or before `to`.
    let first = 0
    while (first < bounds.length && (bounds[first + 1] ?? 0) < from) first += 2
    let end = first
    while (end < bounds.length && (bounds[end] ?? 0) <= to) end += 2
    const start = end > first ? Math.min(from, bounds[first] ?? from) : from
    const stop = end > first ? Math.max(to, bounds[end - 1] ?? to) : to
    bounds.splice(first, end - first, start, stop)
  }

  has(from: number, to: number): boolean {
    const bounds = this.#bounds
    for (let index = bounds.length - 2; index >= 0; index -= 2) {
      if ((bounds[index] ?? 0) <= from) return (bounds[index + 1] ?? 0) >= to
    }
    return false
  }

  get bounds(): readonly number[] {
    return this.#bounds
  }

  /** The parts of [from, to] that are not here. */
  gaps(from: number, to: number): [number, number][] {
    const gaps: [number, number][] = []
    let next = from
    for (let index = 0; index < this.#bounds.length; index += 2) {
      const start = this.#bounds[index] ?? 0
      const end = this.#bounds[index + 1] ?? 0
      if (end <= next) continue
      if (start >= to) break
      if (start > next) gaps.push([next, start])
      next = end
    }
    if (next < to) gaps.push([next, to])
    return gaps
  }
}

export class Coverage {
  readonly #added = new Map<string, Ranges>()
  readonly #deleted = new Map<string, Ranges>()

  add(ops: Ops): void {
    addSpans(this.#added, ops.added)
    addSpans(this.#deleted, ops.deleted)
  }

  /** All that is here. */
  ops(): Ops {
    return { added: spansOf(this.#added), deleted: spansOf(this.#deleted) }
  }

  get isEmpty(): boolean {
    return this.#added.size === 0 && this.#deleted.size === 0
  }

  /** What of `ops` is not here. */
  lacking(ops: Ops): Ops {
    return { added: gapsIn(this.#added, ops.added), deleted: gapsIn(this.#deleted, ops.deleted) }
  }

  /** True if all of it is here. */
  has(ops: Ops): boolean {
    return this.missing(ops) === undefined
  }

  /**
   * The first operation written or deleted by `ops` that is not here at all. Who deleted it is
   * not asked: Yjs itself deletes what concurrent writes to a key replaced, and passes that on.
   */
  unknown(ops: Ops): string | undefined {
    const span = missingSpan(this.#added, [...ops.added, ...ops.deleted])
    return span === undefined ? undefined : `operation ${showSpan(span)}`
  }

  /** The first part of `ops` that is not here, in words. */
  missing(ops: Ops): string | undefined {
    const added = missingSpan(this.#added, ops.added)
    if (added !== undefined) return `operation ${showSpan(added)}`
    const deleted = missingSpan(this.#deleted, ops.deleted)
    return deleted === undefined ? undefined : `deletion of ${showSpan(deleted)}`
  }
}

function addSpans(into: Map<string, Ranges>, spans: readonly Span[]): void {
  for (const { writer, from, to } of spans) {
    const ranges = into.get(writer) ?? new Ranges()
    into.set(writer, ranges)
    ranges.add(from, to)
  }
}

function spansOf(all: Map<string, Ranges>): Span[] {
  const spans: Span[] = []
  for (const [writer, { bounds }] of all) {
    for (let index = 0; index < bounds.length; index += 2) {
      spans.push({ writer, from: bounds[index] ?? 0, to: bounds[index + 1] ?? 0 })
    }
  }
  return spans
}

function gapsIn(have: Map<string, Ranges>, spans: readonly Span[]): Span[] {
  return spans.flatMap((span) => {
    const ranges = have.get(span.writer)
    if (ranges === undefined) return [span]
    return ranges.gaps(span.from, span.to).map(([from, to]) => ({ writer: span.writer, from, to }))
  })
}

function missingSpan(have: Map<string, Ranges>, spans: readonly Span[]): Span | undefined {
  return spans.find(({ writer, from, to }) => have.get(writer)?.has(from, to) !== true)
}

function showSpan({ writer, from, to }: Span): string {
  return `${writer}:${from}–${to}`
}
