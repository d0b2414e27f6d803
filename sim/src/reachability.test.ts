import { expect, test } from "vitest"
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
