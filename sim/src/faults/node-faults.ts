/** Faults of a node's process and of its disk. */
import type { StoreFailure } from "@causeway/crdt/ports"
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

function failingStore(
  name: string,
  explain: string,
  code: StoreFailure["code"],
  readsToo: boolean,
): Fault {
  return {
    name,
    explain,
    row: "disk full",
    everyMs: [8000, 60_000],
    lastsMs: [100, 15_000],
    inject(world, random) {
      const { host, disk } = random.pick(world.nodes)
      const { health } = disk
      if (health.failing !== undefined) return "skipped"
      health.failing = code
      health.readsFail = readsToo && random.chance(0.5)
      const end = (): void => {
        health.failing = undefined
        health.readsFail = false
      }
      return { host, end }
    },
  }
}

const slowDisk: Fault = {
  name: "slow-disk",
  explain: "a disk takes many times longer for everything",
  row: "slow disk",
  everyMs: [5000, 60_000],
  lastsMs: [500, 15_000],
  inject(world, random) {
    const { host, disk } = random.pick(world.nodes)
    const { health } = disk
    if (health.slowness !== 1) return "skipped"
    health.slowness = random.logBetween(3, 300)
    const end = (): void => {
      health.slowness = 1
    }
    return { host, end }
  },
}

export const nodeFaults: readonly Fault[] = [
  crash,
  restart,
  failingStore("store-failed", "a disk refuses writes, perhaps reads too", "store-failed", true),
  failingStore("store-full", "a disk is full; reading still works", "store-full", false),
  slowDisk,
]
