/** Faults of a node's process: it dies, or is stopped, and starts again. */
import type { Fault } from "./fault.ts"

const crash: Fault = {
  name: "crash",
  explain: "a node dies, loses what it had not synced, and starts again later",
  row: "crash losing unsynced writes",
  everyMs: [5000, 60_000],
  lastsMs: [10, 15_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (!node.running) return "skipped"
    node.crash(random.chance(0.5))
    const end = (): void => {
      if (!node.running) node.start()
    }
    return { host: node.host, end }
  },
}

const restart: Fault = {
  name: "restart",
  explain: "a node is asked to stop, saves what it accepted, and starts again later",
  row: "crash losing unsynced writes",
  everyMs: [8000, 60_000],
  lastsMs: [10, 10_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (!node.running) return "skipped"
    node.stop()
    const end = (): void => {
      // An operator whose patience is over.
      if (node.running) node.crash(false)
      node.start()
    }
    return { host: node.host, end }
  },
}

export const nodeFaults: readonly Fault[] = [crash, restart]
