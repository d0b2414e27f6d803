/**
 * Properties over whole simulations: any cluster, any drawn world and any list of faults, and
 * every promise holds. What fails is shrunk by fast-check to few faults, writes and hosts.
 */
import fc from "fast-check"
import { expect, test } from "vitest"
import { allFaults } from "./faults/index.ts"
import type { FaultEvent } from "./faults/index.ts"
import type { SimOptions } from "./options.ts"
import { runToEnd } from "./run.ts"

const SECONDS = 12
const RUNS = 25

const seed = fc.integer({ min: 0, max: 2 ** 30 - 1 })

const faultEvent: fc.Arbitrary<FaultEvent> = fc
  .record({
    fault: fc.constantFrom(...allFaults),
    atMs: fc.integer({ min: 1, max: SECONDS * 1000 }),
    lasts: fc.double({ min: 0, max: 1, noNaN: true }),
    seed,
  })
  .map(({ fault, atMs, lasts, seed: drawn }) => {
    const [least, most] = fault.lastsMs
    return { fault: fault.name, atMs, lastsMs: least + lasts * (most - least), seed: drawn }
  })

const options: fc.Arbitrary<SimOptions> = fc.record({
  seed,
  nodes: fc.integer({ min: 1, max: 5 }),
  clients: fc.integer({ min: 1, max: 4 }),
  stockClients: fc.integer({ min: 0, max: 2 }),
  seconds: fc.constant(SECONDS),
  writesPerSecond: fc.integer({ min: 1, max: 12 }),
  writesMax: fc.integer({ min: 0, max: 120 }),
  schedule: fc.array(faultEvent, { maxLength: 12, size: "max" }),
})

test("whatever breaks, whenever and for however long, every promise holds", () => {
  fc.assert(
    fc.property(options, (drawn) => {
      const { failure } = runToEnd(drawn)
      // Without what is long, so that the counterexample can be read.
      expect(failure && `${failure.invariant}: ${failure.message}`).toBeUndefined()
    }),
    { numRuns: RUNS },
  )
}, 120_000)

test("the same options and faults give the same run", () => {
  fc.assert(
    fc.property(options, (drawn) => {
      expect(runToEnd(drawn).hash).toBe(runToEnd(drawn).hash)
    }),
    { numRuns: 3 },
  )
}, 60_000)
