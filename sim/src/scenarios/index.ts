/**
 * Runs that once broke a promise, by name: what went wrong, and the options that showed it. The
 * bug is fixed, the run stays. A change of the simulator's own draws can make a seed harmless, so
 * each bug of the product also has a test beside the code that was wrong, where one was possible.
 */
import type { SimOptions } from "../options.ts"

export type Scenario = {
  readonly name: string
  /** What the product did wrong. */
  readonly story: string
  readonly options: SimOptions
}

const small = { nodes: 3, clients: 4, stockClients: 1, seconds: 20, writesPerSecond: 10 } as const

export const scenarios: readonly Scenario[] = [
  {
    name: "want withdrawn by a third node",
    story:
      "entries came while the store failed and were dropped; asking for them again was called" +
      " off, once a second and for ever, by a peer that lacked them too",
    options: {
      ...small,
      seed: 18,
      workload: "mixed",
      faults: ["store-failed", "store-full", "isolate", "crash"],
    },
  },
  {
    name: "thousands of origins of a liar",
    story:
      "a peer claimed thousands of origins that nobody has; it was asked for each of them, all at" +
      " once and again every few seconds",
    options: {
      nodes: 2,
      clients: 2,
      stockClients: 0,
      seconds: 12,
      writesPerSecond: 3,
      seed: 548,
      workload: "yjs-text",
      faults: ["lying-peer:1"],
    },
  },
]
