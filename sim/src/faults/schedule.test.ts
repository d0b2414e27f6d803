import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"

const size = { nodes: 3, clients: 3, stockClients: 1, seconds: 15, writesPerSecond: 5 } as const

test("what fired, as a list, gives the same run again", () => {
  const options = { ...size, seed: 21 }
  const first = runToEnd(options)
  expect(first.schedule.length).toBeGreaterThan(3)
  const again = runToEnd({ ...options, schedule: first.schedule })
  expect(again.hash).toBe(first.hash)
  expect(again.schedule).toEqual(first.schedule)
  const read: typeof first.schedule = JSON.parse(JSON.stringify(first.schedule))
  expect(runToEnd({ ...options, schedule: read }).hash).toBe(first.hash)
})

test("only what the list says happens, and no more is written than asked for", () => {
  const schedule = [{ fault: "crash", atMs: 4000, lastsMs: 2000, seed: 1 }]
  const report = runToEnd({ ...size, seed: 22, schedule, writesMax: 7 })
  expect(report.failure).toBeUndefined()
  expect(report.schedule).toEqual(schedule)
  expect([...report.faults]).toEqual([["crash", 1]])
  expect(report.writes).toBeGreaterThan(0)
  expect(report.writes).toBeLessThanOrEqual(7)
})
