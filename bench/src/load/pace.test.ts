import { expect, test } from "vitest"
import { createMicrosHistogram, pace, percentileMs, recordMs } from "./pace.ts"

test("everything is sent once, in order and never before its time", async () => {
  const schedule = { startMs: performance.now() + 10, count: 100, perSecond: 1000 }
  const sentAt: number[] = []
  const sent: number[] = []
  const lateness = await pace(schedule, (index) => {
    sent.push(index)
    sentAt.push(performance.now())
  })
  expect(sent).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(sentAt.every((at, index) => at >= schedule.startMs + index)).toBe(true)
  expect(lateness.count).toBe(100)
})

test("time lost is made up for and shows as lateness", async () => {
  const schedule = { startMs: performance.now(), count: 60, perSecond: 1000 }
  const lateness = await pace(schedule, (index) => {
    const until = performance.now() + (index === 0 ? 40 : 0)
    while (performance.now() < until);
  })
  expect(performance.now() - schedule.startMs).toBeGreaterThanOrEqual(59)
  expect(percentileMs(lateness, 50)).toBeGreaterThan(5)
})

test("a schedule that is over sends no more", async () => {
  let sent = 0
  const schedule = { startMs: performance.now(), count: 1_000_000, perSecond: 1000 }
  await pace(
    schedule,
    () => (sent += 1),
    () => sent >= 5,
  )
  expect(sent).toBeLessThan(1000)
})

test("percentiles come back in milliseconds, within three figures", () => {
  const histogram = createMicrosHistogram()
  for (let ms = 1; ms <= 1000; ms += 1) recordMs(histogram, ms)
  expect(Math.abs(percentileMs(histogram, 50) - 500)).toBeLessThan(1)
  expect(Math.abs(percentileMs(histogram, 99) - 990)).toBeLessThan(1)
})
