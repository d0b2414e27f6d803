/** The invariant is of no use unless splits are reported and compared; [P1] [P2] in whole runs. */
import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import { at } from "../scenarios/scenario.ts"
import { keeping } from "./test/keeping.ts"
import { PartitionReports, partitionReports } from "./partition-reports.ts"

const size = { nodes: 3, clients: 6, stockClients: 1, seconds: 45, writesPerSecond: 10 } as const

test("[P1] [P2] splits that are noticed are reported by both sides, and compared", () => {
  const { kept, catalogue } = keeping(partitionReports, (world) => new PartitionReports(world))
  for (const seed of [1, 2]) {
    const schedule = [at(5000, "isolate", 25_000, seed)]
    const { failure } = runToEnd({ ...size, seed, schedule }, catalogue)
    expect(failure).toBeUndefined()
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0)
  expect(sum(kept.map(({ demanded }) => demanded))).toBe(8)
  expect(sum(kept.map(({ compared }) => compared))).toBeGreaterThanOrEqual(6)
}, 60_000)
