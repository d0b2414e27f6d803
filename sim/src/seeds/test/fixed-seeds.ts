/**
 * The seeds that every test run replays: small clusters of every size, 20 virtual seconds, what
 * the seed draws of everything else. Few, as CI runs hundreds of fresh ones besides; split over
 * files so that they run side by side.
 */
import { expect, test } from "vitest"
import type { SimOptions } from "../../options.ts"
import { replayCommand } from "../../report.ts"
import { runToEnd } from "../../run.ts"

const SEEDS_PER_FILE = 12

export function replaySeeds(file: number): void {
  const runs = Array.from({ length: SEEDS_PER_FILE }, (_, index): SimOptions => {
    const seed = 500 + file * SEEDS_PER_FILE + index
    const nodes = 1 + (index % 6)
    return { seed, nodes, clients: 4, stockClients: 2, seconds: 20, writesPerSecond: 8 }
  })
  test.each(runs)("every promise holds: seed $seed, $nodes nodes", (options) => {
    const { failure, convergences } = runToEnd(options)
    expect(failure, replayCommand(options)).toBeUndefined()
    expect(convergences.at(-1)?.phase).toBe("whole")
  })
}
