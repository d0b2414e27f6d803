/** All faults at once, none at all, and the same seed twice; fixed seeds are in `seeds/`. */
import { describe, expect, test } from "vitest"
import { allFaults } from "./faults/index.ts"
import { runToEnd, startRun } from "./run.ts"
import type { RunReport } from "./run.ts"

const size = { clients: 4, stockClients: 2, seconds: 20, writesPerSecond: 8 } as const

describe("every promise holds", () => {
  test("with every fault at once", () => {
    const faults = allFaults.map(({ name }) => name)
    const report = runToEnd({ ...size, seed: 77, nodes: 3, faults })
    expect(report.failure).toBeUndefined()
    expect([...report.faults.keys()]).toEqual(faults)
  })

  test("without faults nearly everything that is written is one entry", () => {
    const report = runToEnd({ ...size, seed: 78, nodes: 3, faults: [], workload: "mixed" })
    expect(report.failure).toBeUndefined()
    expect(report.writes).toBeGreaterThan(50)
    expect(report.entries).toBeGreaterThanOrEqual(report.writes)
    expect(report.entries).toBeLessThan(report.writes * 1.2)
  })
})

describe("determinism", () => {
  test("the same seed gives the same trace, event by event", () => {
    for (const seed of [7, 8]) {
      const options = { ...size, seed, nodes: 3, seconds: 10, faults: undefined }
      const first = runToEnd(options)
      const second = runToEnd(options)
      expect(second.hash).toBe(first.hash)
      expect(second.events).toBe(first.events)
      expect(second.virtualMs).toBe(first.virtualMs)
    }
  })

  test("it does not matter in which slices a run advances, in either phase of liveness", () => {
    const options = { ...size, seed: 11, nodes: 3, seconds: 5, faults: undefined }
    const phases = new Set<string>()
    const run = startRun(options)
    let sliced: RunReport | undefined
    let pastSliceMs = -Infinity
    for (let ms = 7; sliced === undefined; ms = (ms * 3) % 1000) {
      const { nowMs } = run
      sliced = run.advance(ms)
      phases.add(run.phase)
      if (sliced === undefined) pastSliceMs = Math.max(pastSliceMs, run.nowMs - nowMs - ms)
    }
    expect(pastSliceMs).toBeLessThanOrEqual(0)
    expect([...phases]).toEqual(["safety", "core", "whole"])
    expect(sliced.failure).toBeUndefined()
    const whole = runToEnd(options)
    expect([whole.hash, whole.events]).toEqual([sliced.hash, sliced.events])
  })

  test("another seed gives another trace", () => {
    const one = runToEnd({ ...size, seed: 9, nodes: 2, seconds: 5, faults: [] })
    const other = runToEnd({ ...size, seed: 10, nodes: 2, seconds: 5, faults: [] })
    expect(other.hash).not.toBe(one.hash)
  })
})
