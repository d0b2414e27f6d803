/** Shrinking, with a judge instead of runs: it must end at exactly what the judge wants. */
import fc from "fast-check"
import { expect, test } from "vitest"
import type { FaultEvent } from "../faults/index.ts"
import type { SimOptions } from "../options.ts"
import { smaller } from "./candidates.ts"
import type { Failing } from "./candidates.ts"

function event(fault: string, lastsMs = 1000): FaultEvent {
  return { fault, atMs: 10, lastsMs, seed: 1 }
}

function shrink(failing: Failing, fails: (options: SimOptions) => boolean): [Failing, number] {
  const shrinking = smaller(failing)
  let step = shrinking.next()
  let tries = 0
  for (; step.done !== true; tries++) step = shrinking.next(fails(step.value))
  return [step.value, tries]
}

const big: Failing = {
  seed: 1,
  nodes: 5,
  clients: 10,
  stockClients: 3,
  seconds: 60,
  writesPerSecond: 10,
  writesMax: 600,
  schedule: Array.from({ length: 40 }, (_, index) => event(`fault ${index}`)),
}

test("any two faults that are needed are all that stays", () => {
  const place = fc.integer({ min: 0, max: 39 })
  fc.assert(
    fc.property(place, place, fc.integer({ min: 1, max: 600 }), (one, other, writes) => {
      const needed = [...new Set([`fault ${one}`, `fault ${other}`])]
      const [small, tries] = shrink(big, ({ schedule, writesMax }) => {
        const have = schedule?.map(({ fault }) => fault) ?? []
        return needed.every((name) => have.includes(name)) && (writesMax ?? 0) >= writes
      })
      expect(small.schedule.map(({ fault }) => fault).sort()).toEqual(needed.sort())
      expect(small.writesMax).toBe(writes)
      expect([small.nodes, small.clients, small.stockClients, small.seconds]).toEqual([1, 0, 0, 1])
      expect(small.schedule.map(({ lastsMs }) => lastsMs)).toEqual(needed.map(() => 0))
      expect(tries).toBeLessThan(300)
    }),
    { numRuns: 100 },
  )
})

test("a run that always fails ends with nothing, one that needs all of it keeps all", () => {
  expect(shrink(big, () => true)[0].schedule).toEqual([])
  expect(shrink(big, () => false)[0]).toEqual(big)
})
