/**
 * Faults of a node's disk: it fails, is slow, tears, rots, is emptied, or holds what it held some
 * time ago. Those that take what was durable are rare, as most promises are about what is kept.
 */
import type { Millis } from "@causeway/crdt/base"
import type { StoreFailure } from "@causeway/crdt/ports"
import type { DiskPart } from "../disk-image.ts"
import type { SimNode } from "../sim-node.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"

const READ_AGAIN_MS = 1000

function startIfDown(node: SimNode): void {
  if (!node.running) node.start()
}

/**
 * Asks the node for what is damaged until that was noticed, as readers do some time. A node that
 * runs may have all of it in memory, so it is started again first.
 */
function readUntilNoticed(world: World, node: SimNode): void {
  if (!node.disk.hasDamage) return
  if (node.running) node.crash(false)
  node.start()
  const again = (): void => {
    const documents = node.disk.unreadable()
    if (documents.length === 0) return
    for (const document of documents) {
      node.input({ type: "command", command: 0, request: { type: "read-document", document } })
    }
    world.scheduler.after(READ_AGAIN_MS, again)
  }
  world.scheduler.after(0, again)
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

const readFailed: Fault = {
  name: "read-failed",
  explain: "a disk refuses reads; what is written is saved",
  row: "disk corruption",
  everyMs: [8000, 60_000],
  lastsMs: [100, 8000],
  inject(world, random) {
    const { host, disk } = random.pick(world.nodes)
    const { health } = disk
    if (health.readsFail || health.failing !== undefined) return "skipped"
    health.readsFail = true
    const end = (): void => {
      health.readsFail = false
    }
    return { host, end }
  },
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

const tornWrite: Fault = {
  name: "torn-write",
  explain: "a node dies in the middle of an append, whose last records are damaged",
  row: "torn write",
  everyMs: [10_000, 80_000],
  lastsMs: [500, 12_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    const { health } = node.disk
    if (!node.running || health.onAppending !== undefined) return "skipped"
    health.onAppending = () => {
      health.onAppending = undefined
      health.isTorn = true
      if (node.running) node.crash(random.chance(0.5))
      health.isTorn = false
    }
    const end = (): void => {
      health.onAppending = undefined
      startIfDown(node)
      readUntilNoticed(world, node)
    }
    return { host: node.host, end }
  },
}

const corruptRecord: Fault = {
  name: "corrupt-record",
  explain: "a record somewhere in a log is no longer what was written, and is read some time later",
  row: "disk corruption",
  everyMs: [15_000, 120_000],
  lastsMs: [10, 20_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (node.disk.isForeign || node.disk.damage(random) === undefined) return "skipped"
    return { host: node.host, end: () => readUntilNoticed(world, node) }
  },
}

const wipe: Fault = {
  name: "wipe",
  explain: "a node dies and starts again with an empty disk",
  row: "wipe, restored backup, cloned disk",
  everyMs: [25_000, 200_000],
  lastsMs: [10, 10_000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    if (node.disk.isForeign) return "skipped"
    if (node.running) node.crash(random.chance(0.5))
    node.disk.wipe()
    return { host: node.host, end: () => startIfDown(node) }
  },
}

function restored(
  name: string,
  explain: string,
  part: DiskPart,
  everyMs: readonly [Millis, Millis],
): Fault {
  return {
    name,
    explain,
    row: "wipe, restored backup, cloned disk",
    everyMs,
    lastsMs: [500, 25_000],
    inject(world, random) {
      const node = random.pick(world.nodes)
      if (node.disk.isForeign) return "skipped"
      const backup = node.disk.copy()
      const end = (): void => {
        if (node.disk.isForeign) return
        if (node.running) node.crash(random.chance(0.5))
        node.disk.putBack(backup, part)
        node.start()
        readUntilNoticed(world, node)
      }
      return { host: node.host, end }
    },
  }
}

/** The store refuses another node's folder; then it is given its own again, or an empty one. */
const clonedDisk: Fault = {
  name: "cloned-disk",
  explain:
    "a node is started on a copy of another node's folder, which it refuses, and then on its own",
  row: "wipe, restored backup, cloned disk",
  everyMs: [40_000, 300_000],
  lastsMs: [10, 8000],
  inject(world, random) {
    const node = random.pick(world.nodes)
    const others = world.nodes.filter((other) => other !== node && !other.disk.isForeign)
    if (others.length === 0 || node.disk.isForeign) return "skipped"
    if (node.running) node.crash(random.chance(0.5))
    const own = node.disk.copy()
    node.disk.putBack(random.pick(others).disk.copy(), "folder")
    node.start()
    const isKept = random.chance(0.7)
    const end = (): void => {
      if (isKept) node.disk.putBack(own, "folder")
      else node.disk.wipe()
      node.start()
    }
    return { host: node.host, end }
  },
}

export const diskFaults: readonly Fault[] = [
  failingStore("store-failed", "a disk refuses writes, perhaps reads too", "store-failed", true),
  failingStore("store-full", "a disk is full; reading still works", "store-full", false),
  slowDisk,
  tornWrite,
  corruptRecord,
  wipe,
  restored(
    "restored-database",
    "a node's database alone is put back to an older copy; the boot record beside it is not",
    "database",
    [25_000, 200_000],
  ),
  restored(
    "restored-folder",
    "a node's whole folder is put back to an older copy, boot record and all",
    "folder",
    [60_000, 500_000],
  ),
  clonedDisk,
]
export const readFaults: readonly Fault[] = [readFailed]
