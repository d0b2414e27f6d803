import { expect, onTestFinished, test } from "vitest"
import { until } from "../test/wait.ts"
import { EventLoopLoad } from "./event-loop-load.ts"

function load(windowMs: number): EventLoopLoad {
  const made = new EventLoopLoad(windowMs)
  onTestFinished(() => made.stop())
  return made
}

function beBusy(forMs: number): void {
  const end = performance.now() + forMs
  while (performance.now() < end);
}

test("a busy window shows, and an idle one after it", async () => {
  const measured = load(100)
  beBusy(110)
  await until("a busy window has ended", () => measured.utilization > 0.8)
  await until("an idle one has ended", () => measured.utilization < 0.5)
})

test("within a window it does not matter how often it is asked", () => {
  const measured = load(60_000)
  const before = measured.utilization
  beBusy(50)
  expect(measured.utilization).toBe(before)
})
