import { expect, test } from "vitest"
import { cpuSecondsOf, cpuSecondsOfMachine, residentMbOf } from "./process-usage.ts"

test("CPU burnt here is CPU read from outside, for process and machine", () => {
  const own = process.cpuUsage()
  const before = cpuSecondsOf(process.pid)
  const machineBefore = cpuSecondsOfMachine()
  const isBusy = (): boolean => {
    const { user, system } = process.cpuUsage(own)
    return user + system < 300_000
  }
  while (isBusy());
  expect(cpuSecondsOf(process.pid) - before).toBeGreaterThan(0.25)
  expect(cpuSecondsOf(process.pid) - before).toBeLessThan(1)
  expect(cpuSecondsOfMachine() - machineBefore).toBeGreaterThan(0.25)
})

test("memory is in MB and follows what is allocated", () => {
  const before = residentMbOf(process.pid)
  expect(Math.abs(before - process.memoryUsage.rss() / 1e6)).toBeLessThan(20)
  const block = Buffer.alloc(64_000_000, 1)
  expect(residentMbOf(process.pid) - before).toBeGreaterThan(50)
  expect(block.length).toBe(64_000_000)
})

test("a process that is not there is an error", () => {
  expect(() => cpuSecondsOf(2 ** 22 + 1)).toThrow(/ENOENT/)
})
