/** The invariant is of no use unless tokens are taken, renewed and refused, again and again. */
import { describe, expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import { keeping } from "./test/keeping.ts"
import { TokenFirst, tokenFirst } from "./token-first.ts"

const size = { nodes: 3, clients: 4, browsers: 1, stockClients: 1, seconds: 30 }
const load = { writesPerSecond: 5, tokens: true, workload: "yjs-text" } as const

function watched(faults: readonly string[], seeds: readonly number[]) {
  const { kept, catalogue } = keeping(tokenFirst, (world) => new TokenFirst(world))
  for (const seed of seeds) {
    expect(runToEnd({ ...size, ...load, faults, seed }, catalogue).failure).toBeUndefined()
  }
  const sum = { admitted: 0, renewed: 0, refused: 0, late: 0, over: 0 }
  for (const { counts } of kept) {
    sum.admitted += counts.admitted
    sum.renewed += counts.renewed
    sum.refused += counts.refused
    sum.late += counts.late
    sum.over += counts.over
  }
  return sum
}

describe("tokens in the simulator", () => {
  test("[N22] [N23] are taken, renewed on the same connection, refused, and end", () => {
    const sum = watched(["reset:4", "partition:8"], [1, 2, 3, 4])
    for (const [name, count] of Object.entries(sum)) expect(count, name).toBeGreaterThan(0)
    // What is renewed in time does not end.
    expect(sum.renewed).toBeGreaterThan(5 * sum.over)
  }, 120_000)
})
