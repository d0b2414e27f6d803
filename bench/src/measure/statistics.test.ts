import { expect, test } from "vitest"
import { percentile, spreadOf } from "./statistics.ts"

test("a percentile is the nearest rank of the sorted values", () => {
  const values = [9, 1, 5, 3, 7, 2, 8, 4, 6, 10]
  expect(percentile(values, 50)).toBe(5)
  expect(percentile(values, 99)).toBe(10)
  expect(percentile(values, 0)).toBe(1)
  expect(values[0]).toBe(9)
  expect(() => percentile([], 50)).toThrow(RangeError)
})

test("a spread is median, smallest and largest", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, count: 3 })
  expect(spreadOf([4, 1])).toEqual({ median: 2.5, min: 1, max: 4, count: 2 })
  expect(spreadOf([])).toBeUndefined()
})
