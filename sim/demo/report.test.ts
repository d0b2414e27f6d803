import { expect, test } from "vitest"
import type { DemoResult } from "./demo.ts"
import { differenceOf, isSuccess, reportOf } from "./report.ts"

const text = "the end"
const node = { ownEntries: 1, entries: 3, text }
const good: DemoResult = {
  transactions: 3,
  expected: text,
  nodes: ["a", "b", "c"].map((name) => ({ ...node, name })),
  clients: [{ name: "late, on C", text }],
  faults: { cuts: 2, kills: 1, healMs: [10, 1234.5] },
  linkBytes: 1000,
  replayMs: 1500,
}

test("equal texts and entries pass", () => {
  expect(isSuccess(good)).toBe(true)
  expect(reportOf(good)).toContain("PASSED")
  expect(reportOf(good)).toMatch(/longest heal +1,235 ms of 2\n/)
})

test.each<[string, DemoResult]>([
  ["a client's text", { ...good, clients: [{ name: "late", text: "the End" }] }],
  ["a node's text", { ...good, nodes: [{ ...node, name: "a", text: "the end " }] }],
  ["entries", { ...good, nodes: [...good.nodes, { ...node, name: "d", entries: 4 }] }],
])("different %s fail", (_, bad) => {
  expect(isSuccess(bad)).toBe(false)
  expect(reportOf(bad)).toContain("FAILED")
})

test("the first difference is named", () => {
  expect(differenceOf("abc", "abc")).toBeUndefined()
  expect(differenceOf("abd", "abc")).toBe("differs at byte 2 of 3 (has 3)")
  expect(differenceOf("ab", "abc")).toBe("differs at byte 2 of 3 (has 2)")
  expect(differenceOf("ü", "u")).toBe("differs at byte 0 of 1 (has 2)")
})
