import { expect, test } from "vitest"
import { ackScenario } from "../scenarios/ack.ts"
import { serverSpec } from "../servers/catalog.ts"
import type { ServerName } from "../servers/catalog.ts"
import { renderGoals } from "./goals.ts"
import { Results } from "./results.ts"
import { warningsOf } from "./warnings.ts"
import { formatNumber, formatSpread, renderResults, renderTable } from "./table.ts"

test("numbers keep three figures", () => {
  const shown = [0, 3, 0.004, 0.5, 2.345, 12.34, 123.4, 12_345.6].map(formatNumber)
  expect(shown).toEqual(["0", "3", "0.004", "0.50", "2.35", "12.3", "123", "12,346"])
})

test("a spread shows its range only when there is one", () => {
  expect(formatSpread({ median: 2, min: 1, max: 3, count: 3 })).toBe("2 (1–3)")
  expect(formatSpread({ median: 2, min: 2, max: 2, count: 3 })).toBe("2")
  expect(formatSpread({ median: 2.5, min: 2.5, max: 2.5, count: 1 })).toBe("2.50")
  expect(formatSpread(undefined)).toBe("–")
})

test("columns are aligned, text to the left and numbers to the right", () => {
  expect(
    renderTable(
      ["server", "µs"],
      [
        ["relay", "3.00"],
        ["x", "12.5"],
      ],
      1,
    ),
  ).toBe(
    ["| server |   µs |", "| ------ | ---: |", "| relay  | 3.00 |", "| x      | 12.5 |"].join("\n"),
  )
})

function latencyResults(): Results {
  const results = new Results()
  const add = (server: ServerName, round: number, visibleP50Ms: number, failures: string[]): void =>
    results.add({ scenario: "ack", server, round, measures: { visibleP50Ms }, failures })
  add("causeway", 1, 2, [])
  add("causeway", 2, 6, [])
  add("causeway", 3, 3, [])
  add("relay", 1, 1, [])
  add("relay", 2, 2, [])
  add("relay", 3, 6, [])
  add("hocuspocus", 1, 4, ["a reader's text differs"])
  return results
}

test("ratios are made within a round", () => {
  const ratio = latencyResults().ratio("ack", "visibleP50Ms", "causeway", "relay")
  expect(ratio).toEqual({ median: 2, min: 0.5, max: 3, count: 3 })
})

test("a table has one row per server that was measured, and names the failed", () => {
  const servers = (["causeway", "hocuspocus", "y-websocket", "relay"] as const).map(serverSpec)
  const table = renderResults("latency", [ackScenario], servers, latencyResults())
  const rows = table.split("\n").slice(4)
  expect(rows).toHaveLength(3)
  expect(rows[0]).toMatch(/^\| ack +\| Causeway, SQLite, fsync +\| +3 \(2–6\) .*– \|$/)
  expect(rows[1]).toMatch(/Hocuspocus, memory \(FAILED\)/)
  expect(rows[2]).toMatch(/bare ws relay +\| +2 \(1–6\) .*\| +2 \(0\.50–3\) \|$/)
})

test("a disturbed run is said to be one", () => {
  const results = new Results()
  const add = (othersCpuPercent: number, latenessP99Ms: number): void => {
    const measures = { othersCpuPercent, latenessP99Ms }
    results.add({ scenario: "20x5", server: "relay", round: 1, measures, failures: [] })
  }
  add(3, 2)
  expect(warningsOf(results)).toEqual([])
  add(150, 2)
  expect(warningsOf(results)).toEqual([expect.stringMatching(/20 % of a core during 1 of 2 runs/)])
  add(3, 30)
  expect(warningsOf(results)).toHaveLength(2)
})

test("a goal is listed when it was measured, with its verdict", () => {
  const results = new Results()
  expect(renderGoals(results)).toBeUndefined()
  const measures = { ackPerSync: 1.5, ackP99Ms: 30 }
  results.add({ scenario: "ack", server: "causeway", round: 1, measures, failures: [] })
  const goals = renderGoals(results)
  expect(goals).toMatch(/÷ one fsync +\| yes +\| +≤ 2 \| +1\.50 \|/)
  expect(goals).toMatch(/p99 until the native ack, ms +\| NO +\| +≤ 25 \| +30 \|/)
})
