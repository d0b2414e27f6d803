import { expect, test } from "vitest"
import { builtIn } from "../catalogue.ts"
import type { Invariant } from "../invariants/index.ts"
import { runToEnd } from "../run.ts"
import type { Fault, Injected } from "./fault.ts"

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

test("a core is rid of what hinders it, and of nothing else", () => {
  const heard: string[] = []
  const fault = (name: string, injected: Injected): Fault => {
    const range = [60_000, 60_000] as const
    const of = { explain: "a test", row: "delay", everyMs: range, lastsMs: range } as const
    return { name, ...of, inject: () => injected }
  }
  const end = (): void => undefined
  const faults = [
    fault("unsaid", end),
    fault("stays", { hinders: () => false, end }),
    fault("hinders", { hinders: () => true, end }),
    fault("of nobody", { host: 999, end }),
  ]
  const listener: Invariant = {
    name: "listener",
    explain: "a test",
    watch: () => ({
      onPhase: (phase) => heard.push(phase),
      onFault: (name, what) => what === "ends" && heard.push(name),
    }),
  }
  const schedule = faults.map(({ name }) => ({ fault: name, atMs: 500, lastsMs: 60_000, seed: 1 }))
  const options = { ...size, seconds: 2, seed: 3, schedule }
  const { failure } = runToEnd(options, { ...builtIn, faults, invariants: [listener] })
  expect(failure).toBeUndefined()
  expect(heard).toEqual(["safety", "core", "unsaid", "hinders", "stays", "of nobody", "whole"])
})
