/**
 * What every engine must hold for every history: the laws of Shapiro et al. 2011 §2 (a merge that
 * commutes, associates and repeats without effect) and what the rest of the Engine interface
 * promises on top. A law is a function of a history and a seed, so that tests can draw both and
 * replay a failure; it throws an InvariantError that says what broke.
 */
import { assert } from "../base/assert.ts"
import { bytesEqual } from "../base/bytes.ts"
import { EngineError, type Engine } from "./engine.ts"

export type Law = {
  readonly name: string
  /** `updates` is a whole history, each update after those it rests on. */
  readonly check: (updates: readonly Uint8Array[], seed: number) => void
}

/** What the CRDT library itself says after it was given these updates in this order. */
export type Reference = (updates: readonly Uint8Array[]) => {
  readonly pending: boolean
  readonly summary: Uint8Array
}

/** mulberry32: as good as needed to shuffle, and the same everywhere. */
class Choices {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const result = [...items]
    for (let index = result.length - 1; index > 0; index--) {
      const other = this.below(index + 1)
      const [left, right] = [result[index], result[other]]
      if (left === undefined || right === undefined) continue
      result[index] = right
      result[other] = left
    }
    return result
  }

  /** Each item with the same chance of being in or out. */
  some<Item>(items: readonly Item[]): Item[] {
    return items.filter(() => this.below(2) === 0)
  }

  /** The items cut into runs of any length. */
  batches<Item>(items: readonly Item[]): Item[][] {
    const batches: Item[][] = [[]]
    for (const item of items) {
      if (this.below(3) === 0) batches.push([])
      batches.at(-1)?.push(item)
    }
    return batches
  }
}

export function engineLaws(engine: Engine, reference: Reference): readonly Law[] {
  return [...mergeLaws(engine), ...summaryLaws(engine, reference), ...contentLaws(engine)]
}

function law(name: string, check: (updates: readonly Uint8Array[], choices: Choices) => void): Law {
  return { name, check: (updates, seed) => check(updates, new Choices(seed)) }
}

/** Equal in every way the interface offers. */
function assertSame(engine: Engine, left: Uint8Array, right: Uint8Array, what: string): void {
  assert(engine.includes(left, right), `${what}: the right has more`)
  assert(engine.includes(right, left), `${what}: the left has more`)
  assertSameContent(engine, left, right, what)
}

/** Equal to a reader; while something waits there is no digest to go by. */
function assertSameContent(
  engine: Engine,
  left: Uint8Array,
  right: Uint8Array,
  what: string,
): void {
  const summaries = [engine.summaryOf(left), engine.summaryOf(right)] as const
  assert(bytesEqual(...summaries), `${what}: summaries differ`)
  assert(jsonText(engine, left) === jsonText(engine, right), `${what}: JSON differs`)
  const digests = [digestOf(engine, left), digestOf(engine, right)] as const
  const pending = digests[0] === undefined || digests[1] === undefined
  assert(pending === (digests[0] === digests[1]), `${what}: only one side is pending`)
  if (digests[0] === undefined || digests[1] === undefined) return
  assert(bytesEqual(digests[0], digests[1]), `${what}: digests differ`)
}

function jsonText(engine: Engine, state: Uint8Array): string {
  return JSON.stringify(engine.toJson(state))
}

function digestOf(engine: Engine, state: Uint8Array): Uint8Array | undefined {
  try {
    return engine.digest(state)
  } catch (error) {
    if (error instanceof EngineError && error.code === "pending") return undefined
    throw error
  }
}

function mergeLaws(engine: Engine): readonly Law[] {
  return [
    law("merge: any order, any duplicates, any batches", (updates, choices) => {
      const twice = choices.shuffled([...updates, ...choices.some(updates)])
      const batches = choices.batches(twice).map((batch) => engine.merge(batch))
      const merged = engine.merge(choices.shuffled(batches))
      assertSame(engine, engine.merge(updates), merged, "merged otherwise")
    }),
    law("merge: commutes, of parts with gaps too", (updates, choices) => {
      const left = engine.merge(choices.some(updates))
      const right = engine.merge(choices.some(updates))
      const one = engine.merge([left, right])
      assertSame(engine, one, engine.merge([right, left]), "swapped")
    }),
    law("merge: associates, of parts with gaps too", (updates, choices) => {
      const [a, b, c] = [0, 1, 2].map(() => engine.merge(choices.some(updates)))
      assert(a !== undefined && b !== undefined && c !== undefined, "three parts")
      const one = engine.merge([engine.merge([a, b]), c])
      assertSame(engine, one, engine.merge([a, engine.merge([b, c])]), "bracketed otherwise")
    }),
    law("merge: repeats without effect", (updates, choices) => {
      const state = engine.merge(choices.some(updates))
      assertSame(engine, state, engine.merge([state, state]), "merged with itself")
      assertSame(engine, state, engine.merge([state, engine.empty]), "merged with nothing")
    }),
    law("merge: keeps what waits, and what comes out is valid", (updates, choices) => {
      const [left, right]: [Uint8Array[], Uint8Array[]] = [[], []]
      for (const update of updates) (choices.below(2) === 0 ? left : right).push(update)
      const parts = [engine.merge(left), engine.merge(right)]
      for (const part of parts) engine.validate(part)
      assertSame(engine, engine.merge(updates), engine.merge(parts), "put together again")
    }),
    law(
      "includes: what was merged in, and nothing else that adds an operation",
      (updates, choices) => {
        const held = choices.some(updates)
        const state = engine.merge(held)
        for (const update of held) assert(engine.includes(state, update), "lost what was merged in")
        assert(engine.includes(state, engine.empty), "nothing is always included")
        for (const update of updates) {
          const more = engine.merge([state, update])
          if (!engine.includes(state, update)) continue
          assertSame(engine, state, more, "included, yet it changed something")
        }
      },
    ),
  ]
}

function summaryLaws(engine: Engine, reference: Reference): readonly Law[] {
  return [
    law("difference: completes any holder, gaps or not", (updates, choices) => {
      const whole = engine.merge(updates)
      const holder = engine.merge(choices.some(updates))
      const difference = engine.difference(whole, engine.summaryOf(holder))
      engine.validate(difference)
      assertSame(engine, whole, engine.merge([holder, difference]), "holder and difference")
    }),
    law("difference: from any state to any holder, as good as a merge", (updates, choices) => {
      const state = engine.merge(choices.some(updates))
      const holder = engine.merge(choices.some(updates))
      const difference = engine.difference(state, engine.summaryOf(holder))
      const merged = engine.merge([holder, state])
      assertSame(engine, merged, engine.merge([holder, difference]), "holder and difference")
    }),
    law("difference: brings no operation that the summary covers", (updates) => {
      const whole = engine.merge(updates)
      const nothing = engine.difference(whole, engine.summaryOf(whole))
      assert(engine.validate(nothing).spans.length === 0, "operations for one who has all")
      const all = engine.difference(whole, engine.emptySummary)
      assertSame(engine, whole, all, "difference to nothing")
      const none = engine.difference(engine.empty, engine.emptySummary)
      assert(bytesEqual(none, engine.empty), "something out of nothing")
    }),
    law("summary: what the library itself would say", (updates, choices) => {
      const held = choices.shuffled(choices.some(updates))
      const state = engine.merge(held)
      const summary = engine.summaryOf(state)
      engine.validateSummary(summary)
      assert(bytesEqual(summary, reference(held).summary), "another summary than the library's")
      assert(bytesEqual(summary, engine.frontier(state).summary()), "than the frontier's")
      assert(bytesEqual(engine.summaryOf(engine.empty), engine.emptySummary), "of nothing")
    }),
    law(
      "frontier: pending when the library says so, in any order with gaps",
      (updates, choices) => {
        const delivered = choices.shuffled([...choices.some(updates), ...choices.some(updates)])
        const start = choices.below(delivered.length + 1)
        const frontier = engine.frontier(engine.merge(delivered.slice(0, start)))
        for (let index = start; index < delivered.length; index++) {
          const update = delivered[index] ?? engine.empty
          const status = frontier.add(engine.validate(update), update.length)
          const expected = reference(delivered.slice(0, index + 1))
          assert(frontier.pendingBytes > 0 === expected.pending, "pending bytes are wrong")
          assert(status === "covered" || expected.pending, "an update waits for nothing")
          assert(bytesEqual(frontier.summary(), expected.summary), "covers something else")
        }
      },
    ),
    law("frontier: nothing waits once all has come", (updates, choices) => {
      const frontier = engine.frontier(engine.empty)
      for (const update of choices.shuffled(updates)) {
        frontier.add(engine.validate(update), update.length)
      }
      assert(frontier.pendingBytes === 0, "bytes left behind")
      const whole = engine.merge(updates)
      assert(bytesEqual(frontier.summary(), engine.summaryOf(whole)), "covers something else")
      assert(engine.frontier(whole).pendingBytes === 0, "a whole state waits")
    }),
  ]
}

function contentLaws(engine: Engine): readonly Law[] {
  return [
    // Not the same in what it includes: what a replica deletes for itself when it applies an
    // update (the loser of two writes to one key) is spelt out in what it writes.
    law("compact: keeps digest, JSON and what waits", (updates, choices) => {
      const state = engine.merge(choices.some(updates))
      const compacted = engine.compact(state)
      engine.validate(compacted)
      assert(engine.includes(compacted, state), "something was lost")
      assertSameContent(engine, state, compacted, "compacted")
      assertSameContent(engine, state, engine.merge([state, compacted]), "merged with its origin")
      assertSame(engine, compacted, engine.compact(compacted), "compacted twice")
      const whole = engine.merge(updates)
      const completed = engine.merge([compacted, whole])
      assertSameContent(engine, whole, completed, "completed after it was compacted")
      assertSameContent(engine, whole, engine.compact(completed), "completed and compacted again")
    }),
    law("digest: differs when an operation is missing", (updates, choices) => {
      const last = updates.at(-1)
      if (last === undefined) return
      const without = engine.merge(choices.shuffled(updates.slice(0, -1)))
      const spans = engine.validate(last).spans.length
      if (spans === 0 || engine.includes(without, last)) return
      const [one, other] = [digestOf(engine, engine.merge(updates)), digestOf(engine, without)]
      assert(one?.length === 32, "32 bytes")
      assert(other === undefined || !bytesEqual(one, other), "the same without its last update")
    }),
  ]
}
