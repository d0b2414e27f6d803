/** Faults of tabs that share a client: whoever leads is gone, or sleeps and is robbed meanwhile. */
import type { SimRandom } from "../random.ts"
import type { SimTab } from "../tabs/sim-tab.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"

/** How often it is one that leads. */
const LEADS = 0.7

/** Awake, with another tab that could take its place. */
function someTab({ tabs }: World, random: SimRandom): SimTab | undefined {
  const able = tabs.filter((tab) => tab.running && !tab.isPaused)
  const leading = able.filter(({ leads }) => leads)
  const chosen = leading.length > 0 && random.chance(LEADS) ? leading : able
  return chosen.length > 0 ? random.pick(chosen) : undefined
}

const tabClose: Fault = {
  name: "tab-close",
  explain: "a tab is closed, mostly the one that leads; some time later a new one is opened",
  row: "client crash and storage",
  everyMs: [3000, 40_000],
  lastsMs: [10, 10_000],
  inject(world, random) {
    const tab = someTab(world, random)
    if (tab === undefined) return "skipped"
    tab.leave()
    // It may still wait for storage then.
    return { host: tab.host, end: () => tab.start() }
  },
}

const tabCrash: Fault = {
  name: "tab-crash",
  explain: "a tab crashes in the middle of what it writes, mostly the one that leads",
  row: "client crash and storage",
  everyMs: [3000, 40_000],
  lastsMs: [10, 10_000],
  inject(world, random) {
    const tab = someTab(world, random)
    if (tab === undefined) return "skipped"
    tab.crash("kept")
    const end = (): void => {
      if (!tab.running) tab.start()
    }
    return { host: tab.host, end }
  },
}

const tabFreeze: Fault = {
  name: "tab-freeze",
  explain: "a tab is put to sleep, mostly the one that leads, often for so long that it is robbed",
  row: "process pause",
  everyMs: [3000, 30_000],
  lastsMs: [200, 8000],
  inject(world, random, lastsMs) {
    const tab = someTab(world, random)
    if (tab === undefined) return "skipped"
    tab.pause(world.scheduler.nowMs + lastsMs)
    return { host: tab.host, end: () => tab.resume() }
  },
}

/** After all others, so that what a seed draws of those stays. */
export const tabFaults: readonly Fault[] = [tabClose, tabCrash, tabFreeze]
