import { expect, test } from "vitest"
import { HostReading } from "./host-reading.ts"
import { between, Reachability } from "./reachability.ts"
import { Trace } from "./trace.ts"
import { Watch } from "./watch.ts"

test("frozen: what is cut stays cut, except among those who are to be well", () => {
  const watch = new Watch()
  const down = new Map<string, number>()
  const count = (by: number) => (directions: readonly (readonly [number, number])[]) => {
    for (const pair of directions) down.set(String(pair), (down.get(String(pair)) ?? 0) + by)
  }
  watch.add({ onCut: count(1), onHealed: count(-1) })
  const reachability = new Reachability(new Trace({ nowMs: 0 }), watch)
  const healOne = reachability.cut(between([0], [1, 2]))
  const thaw = reachability.freeze(new Set([0, 1]), [[1, 3]])
  expect(reachability.isCut(0, 1)).toBe(false)
  expect(reachability.isCut(0, 2)).toBe(true)
  expect(reachability.isCut(1, 3)).toBe(true)
  expect(reachability.isCut(3, 1)).toBe(false)
  healOne()
  const healOther = reachability.cut([[0, 1]])
  expect(reachability.isCut(0, 2)).toBe(true)
  expect(reachability.isCut(0, 1)).toBe(false)
  thaw()
  expect(reachability.isCut(0, 2)).toBe(false)
  expect(reachability.isCut(1, 3)).toBe(false)
  expect(reachability.isCut(0, 1)).toBe(true)
  healOther()
  expect(reachability.isCut(0, 1)).toBe(false)
  expect([...down.values()].every((cuts) => cuts === 0)).toBe(true)
})

test("of slow stretches that overlap the slowest counts, and each ends by itself", () => {
  const reachability = new Reachability(new Trace({ nowMs: 0 }), new Watch())
  const slowness = () => [reachability.slowness(0, 1), reachability.slowness(1, 0)]
  const endFirst = reachability.slow(between([0], [1]), 20)
  const endSecond = reachability.slow([[0, 1]], 5)
  const endThird = reachability.slow([[0, 1]], 20)
  expect(slowness()).toEqual([20, 20])
  endFirst()
  endFirst()
  expect(slowness()).toEqual([20, 1])
  endThird()
  expect([...slowness(), reachability.slowest]).toEqual([5, 1, 5])
  endSecond()
  expect([...slowness(), reachability.slowest]).toEqual([1, 1, 1])
})

test("of trickles that overlap the slowest counts, for as long as it lasts", () => {
  const clock = { nowMs: 0 }
  const reading = new HostReading(clock)
  const takes = (bytes: number) => reading.takesMs(2, bytes) - clock.nowMs
  reading.trickle(2, 100, 5000)
  reading.trickle(2, 1000, 10_000)
  expect(takes(100)).toBe(1000)
  // All of a frame at once when what slowed it ends.
  expect(reading.readsAtMs(2, reading.takesMs(2, 10_000))).toBe(5000)
  clock.nowMs = 5000
  expect(takes(100)).toBe(100)
  reading.trickle(2, 5000, 7000)
  expect(takes(100)).toBe(100)
  clock.nowMs = 10_000
  expect(reading.takesMs(2, 100)).toBe(0)
})
