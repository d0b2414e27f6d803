/** Tabs that share a client: what one says while its leader is behind. */
import { at } from "./scenario.ts"
import type { Scenario } from "./scenario.ts"

export const tabScenarios: readonly Scenario[] = [
  // Without `uncounted` in `Member.#tellStatus` the tiers stay as the leader said them last.
  {
    name: "saved at all, said by a tab of what its leader has not seen",
    story:
      "a tab had typed more than its leader had counted: it said that this was in memory, and" +
      " that it was saved at every member",
    options: {
      seed: 7,
      nodes: 2,
      clients: 2,
      browsers: 2,
      stockClients: 1,
      seconds: 2,
      writesPerSecond: 8,
      writesMax: 26,
      faults: ["tab-crash:2", "client-slow-storage:2"],
      schedule: [at(824.085588806574, "client-slow-storage", 742, 269693594)],
    },
  },
]
