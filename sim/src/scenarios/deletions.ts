/** Documents that are deleted and created again while clients and nodes are away. */
import type { Scenario } from "./scenario.ts"

export const deletionScenarios: readonly Scenario[] = [
  // Demands [R3] and [R6]: with `generation-ignored-on-open` visitors of an earlier life bring it
  // into the next, with `delete-not-adopted` nodes that were away go on showing it.
  {
    name: "zombies of two documents",
    story:
      "two documents were deleted and created again and again, while nodes were cut off, crashed" +
      " or put back, and clients came back with what they held of earlier lives",
    options: {
      nodes: 3,
      clients: 2,
      stockClients: 1,
      seconds: 15,
      writesPerSecond: 3,
      seed: 1,
      faults: ["deletion:0.3", "isolate:4", "crash:5", "restored-database:10", "wipe:15"],
    },
  },
]
