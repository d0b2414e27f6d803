/**
 * Faults of clocks. A core's time is what its driver passes in: `performance`'s monotonic clock on
 * top of the wall clock at the start of the process. While a process lives it can leap forwards (a
 * suspended laptop, a migrated virtual machine) and go at a pace of its own, never backwards; the
 * next life may begin at an earlier time. All nodes' clocks also differ from the first.
 */
import type { SimNode } from "../sim-node.ts"
import type { SimWriter } from "../writer.ts"
import type { Fault } from "./fault.ts"

const row = "clock skew and jumps"
const DAY_MS = 86_400_000

const clockJump: Fault = {
  name: "clock-jump",
  explain:
    "the clock of a node or a client leaps ahead by milliseconds to days while it runs, as after" +
    " a suspended or migrated machine: every timer of its process is due at once",
  row,
  everyMs: [5000, 40_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const hosts = random.chance(0.7) ? world.nodes : world.writers
    const clock = hosts.length === 0 ? undefined : random.pick<SimNode | SimWriter>(hosts).clock
    if (clock === undefined) return "skipped"
    clock.jump(random.logBetween(50, 3 * DAY_MS))
    return "done"
  },
}

const clockBack: Fault = {
  name: "clock-back",
  explain: "a node dies and starts again under a clock that was set back by up to days",
  row,
  everyMs: [10_000, 60_000],
  lastsMs: [10, 8000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (!node.running) return "skipped"
    const byMs = random.logBetween(50, 3 * DAY_MS)
    node.crash(random.chance(0.5))
    node.clock.setBack(byMs)
    const end = (): void => {
      if (!node.running) node.start()
    }
    return { host: node.host, end }
  },
}

const PACE_OFF_MAX = 0.1

const clockDrift: Fault = {
  name: "clock-drift",
  explain: "a node's clock goes up to 10 % too fast or too slow",
  row,
  everyMs: [5000, 40_000],
  lastsMs: [1000, 60_000],
  inject(world, random) {
    const { host, clock } = random.pick(world.nodes)
    clock.setPace(1 + random.between(-PACE_OFF_MAX, PACE_OFF_MAX))
    return { host, end: () => clock.setPace(1) }
  },
}

export const clockFaults: readonly Fault[] = [clockJump, clockBack, clockDrift]
