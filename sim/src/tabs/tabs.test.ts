/** Browsers in a run: the lead changes hands, by death and by robbery, the same way each time. */
import { expect, test } from "vitest"
import { builtIn } from "../catalogue.ts"
import { TabHonesty } from "../invariants/tab-honesty.ts"
import { runToEnd } from "../run.ts"
import type { RunReport } from "../run.ts"
import type { World } from "../world.ts"

type Seen = { report: RunReport; world: World | undefined; honesty: TabHonesty | undefined }

function runTabs(seed: number): Seen {
  const seen: Partial<Seen> = {}
  const looks = {
    name: "looks",
    explain: "what a test wants to see",
    watch: (world: World) => {
      seen.world = world
      seen.honesty = new TabHonesty(world)
      return seen.honesty
    },
  }
  const faults = ["tab-close:2", "tab-crash:2", "tab-freeze:2", "client-slow-storage:4"]
  const size = { nodes: 2, clients: 2, browsers: 2, stockClients: 0, seconds: 15 }
  const report = runToEnd(
    { ...size, seed, writesPerSecond: 10, faults },
    { ...builtIn, invariants: [...builtIn.invariants, looks] },
  )
  return { report, world: seen.world, honesty: seen.honesty }
}

test("tabs take over from those that are gone or asleep, and keep what they promise", () => {
  const { report, world, honesty } = runTabs(5)
  expect(report.failure).toBeUndefined()
  for (const [fault, count] of report.faults) expect(count, fault).toBeGreaterThan(0)
  const robberies = world?.tabs.reduce((sum, tab) => sum + tab.robberies, 0)
  expect(robberies).toBeGreaterThan(0)
  for (const [what, count] of Object.entries(honesty?.compared ?? {})) {
    expect(count, what).toBeGreaterThan(0)
  }
  // One for each browser once all is well.
  expect(world?.tabs.filter(({ leads }) => leads)).toHaveLength(2)
})

test("a run with tabs is the same each time", () => {
  expect(runTabs(6).report.hash).toBe(runTabs(6).report.hash)
})
