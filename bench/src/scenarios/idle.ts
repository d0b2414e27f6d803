/**
 * Memory with thousands of open documents, one client each, after everything has come to rest.
 */
import type { Scenario } from "./scenario.ts"
import { runOnFreshServer } from "./scenario.ts"

export const idleScenario: Scenario = {
  name: "idle-3000",
  title: "3,000 open documents, one client each",
  table: "memory",
  suits: () => true,
  run: (context) =>
    runOnFreshServer(context, (target) => {
      const { idleDocuments: documents, settleSeconds } = context.scale
      return { kind: "idle", target, documents, settleSeconds }
    }),
}
