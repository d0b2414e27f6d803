import fc from "fast-check"
import { expect, test } from "vitest"
import { Scheduler } from "./scheduler.ts"

test("tasks run by time, then in the order they were planned", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const scheduler = new Scheduler()
      const ran: { atMs: number; index: number }[] = []
      for (const [index, atMs] of times.entries()) {
        scheduler.at(atMs, () => {
          expect(scheduler.nowMs).toBe(atMs)
          ran.push({ atMs, index })
        })
      }
      scheduler.runUntil(20)
      const expected = times
        .map((atMs, index) => ({ atMs, index }))
        .sort((one, two) => one.atMs - two.atMs || one.index - two.index)
      expect(ran).toEqual(expected)
    }),
  )
})

test("only what is due runs, and the clock stops where it was told to", () => {
  const scheduler = new Scheduler()
  const ran: string[] = []
  scheduler.after(10, () => {
    ran.push("ten")
    scheduler.after(5, () => ran.push("fifteen"))
  })
  scheduler.runUntil(12)
  expect([ran, scheduler.nowMs]).toEqual([["ten"], 12])
  scheduler.runUntil(15)
  expect(ran).toEqual(["ten", "fifteen"])
})

test("a loop that lets no time pass is a violation", () => {
  const scheduler = new Scheduler()
  const again = (): void => scheduler.after(0, again)
  again()
  expect(() => scheduler.runUntil(1)).toThrow("time stands still")
})
