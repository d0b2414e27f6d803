/** The invariant is of no use unless proofs are shown, right and wrong ones, again and again. */
import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import { keeping } from "./test/keeping.ts"
import { ProofFirst, proofFirst } from "./proof-first.ts"

const size = { nodes: 3, clients: 3, stockClients: 1, seconds: 20, writesPerSecond: 5 }

test("[L12] peers prove themselves in most runs, and some can't", () => {
  const { kept, catalogue } = keeping(proofFirst, (world) => new ProofFirst(world))
  for (const seed of [1, 2, 3, 4, 5]) {
    const options = { ...size, faults: ["malformed:6", "lying-peer:2", "reset:2"], seed }
    expect(runToEnd(options, catalogue).failure).toBeUndefined()
  }
  const counts = kept.map((one) => one.counts)
  const runs = counts.filter(({ proved }) => proved > 0).length
  expect(runs).toBeGreaterThan(1)
  expect(runs).toBeLessThan(5)
  expect(counts.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(0)
}, 60_000)
