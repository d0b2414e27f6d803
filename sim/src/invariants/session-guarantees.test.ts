/** The invariant is of no use unless it compares what one node showed with what another has. */
import { expect, test } from "vitest"
import { runToEnd } from "../run.ts"
import { keeping } from "./test/keeping.ts"
import { SessionGuarantees, sessionGuarantees } from "./session-guarantees.ts"

const SEEDS = [1, 2]
const faults = ["client-move", "client-crash", "crash", "isolate"]
const size = { nodes: 3, clients: 6, stockClients: 2, seconds: 30, writesPerSecond: 10, faults }

test("while faults go on, hundreds of updates that another node showed are asked for", () => {
  let compared = 0
  let asTold = 0
  for (const seed of SEEDS) {
    const { kept, catalogue } = keeping(sessionGuarantees, (world, random) => {
      return new SessionGuarantees(world, random)
    })
    expect(runToEnd({ ...size, seed }, catalogue).failure).toBeUndefined()
    for (const watcher of kept) {
      compared += watcher.compared
      asTold += watcher.comparedAsTold
    }
  }
  expect(compared).toBeGreaterThan(300)
  expect(asTold).toBeGreaterThan(250)
}, 60_000)
