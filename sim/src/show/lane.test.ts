/** Lanes and grids keep what matters and no more than they may. */
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { BUCKETS_MAX, Grid } from "./grid.ts"
import { Lane, merged, SPANS_MAX } from "./lane.ts"
import type { Span } from "./lane.ts"

const spans = fc
  .array(fc.record({ gap: fc.nat(500), long: fc.nat(500), what: fc.constantFrom("a", "b") }))
  .map((steps) => {
    let atMs = 0
    return steps.map(({ gap, long, what }): Span => {
      const fromMs = atMs + gap
      atMs = fromMs + long
      return { fromMs, toMs: atMs, what, detail: "", count: 1 }
    })
  })

describe("merged spans", () => {
  test("count as many, in order, within the same bounds, and few enough", () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 400 }), (given, gapMs) => {
        const result = merged(given, gapMs)
        const count = (list: readonly Span[]): number =>
          list.reduce((sum, span) => sum + span.count, 0)
        expect(count(result)).toBe(given.length)
        expect(result.at(0)?.fromMs).toBe(given.at(0)?.fromMs)
        expect(result.at(-1)?.toMs).toBe(given.at(-1)?.toMs)
        const lasted = (given.at(-1)?.toMs ?? 0) - (given.at(0)?.fromMs ?? 0)
        expect(result.length).toBeLessThanOrEqual((2 * lasted) / gapMs + 2)
        for (const [index, span] of result.entries()) {
          expect(span.fromMs).toBeGreaterThanOrEqual(result[index - 1]?.toMs ?? 0)
        }
      }),
    )
  })
})

describe("a lane", () => {
  test("ends a span where the next begins, and at the end what lasts", () => {
    const lane = new Lane()
    lane.set(10, "up")
    lane.set(20, "up")
    lane.set(30, undefined)
    lane.set(40, "down", "why")
    expect(lane.spans(50)).toEqual([
      { fromMs: 10, toMs: 30, what: "up", detail: "", count: 1 },
      { fromMs: 40, toMs: 50, what: "down", detail: "why", count: 1 },
    ])
  })

  test("stays within its bound for ever", () => {
    const lane = new Lane()
    for (let ms = 0; ms < 100_000; ms += 2) lane.set(ms, ms % 4 === 0 ? "up" : undefined)
    const kept = lane.spans(100_000)
    expect(kept.length).toBeLessThanOrEqual(SPANS_MAX)
    expect(kept.reduce((sum, span) => sum + span.count, 0)).toBe(25_000)
  })
})

describe("a grid", () => {
  test("keeps sums and the highest levels, in no more buckets than it may", () => {
    const grid = new Grid()
    const sums = grid.series("sum")
    const levels = grid.series("level")
    for (let ms = 0; ms <= 3_600_000; ms += 1000) {
      grid.advance(ms)
      grid.add(sums, 1)
      grid.set(levels, ms === 1_800_000 ? 90 : 3)
    }
    expect(sums.values.length).toBe(levels.values.length)
    expect(sums.values.length).toBeLessThanOrEqual(BUCKETS_MAX)
    expect(sums.values.reduce((sum, value) => sum + value, 0)).toBe(3601)
    expect(Math.max(...levels.values)).toBe(90)
    expect(levels.values[Math.floor(1_800_000 / grid.bucketMs)]).toBe(90)
    expect(levels.values.at(-1)).toBe(3)
  })

  test("a level lasts until it changes", () => {
    const grid = new Grid()
    const levels = grid.series("level")
    grid.set(levels, 5)
    grid.advance(500)
    grid.set(levels, 1)
    grid.advance(600)
    expect(levels.values).toEqual([5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 1])
  })
})
