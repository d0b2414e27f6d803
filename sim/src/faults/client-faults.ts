/** Faults of clients. */
import { startAll } from "./client-disk-faults.ts"
import type { Fault } from "./fault.ts"

const clientMove: Fault = {
  name: "client-move",
  explain: "a client drops its connection and comes back, often to another node",
  row: "client-side split, moving clients",
  everyMs: [2000, 20_000],
  lastsMs: [1, 1],
  inject(world, random) {
    if (world.writers.length === 0) return "skipped"
    random.pick(world.writers).disconnect(random.pick(world.nodes).host)
    return "done"
  },
}

const reopen: Fault = {
  name: "reopen",
  explain: "a client closes a document and opens it again later; stock ones reconnect",
  row: "client-side split, moving clients",
  everyMs: [1000, 15_000],
  lastsMs: [1, 5000],
  inject(world, random, lastsMs) {
    if (world.writers.length === 0) return "skipped"
    random.pick(world.writers).reopen(random, lastsMs)
    return "done"
  },
}

function clientCrash(name: string, explain: string, storage: "kept" | "lost"): Fault {
  return {
    name,
    explain,
    row: "client crash and storage",
    everyMs: [6000, 60_000],
    lastsMs: [10, 10_000],
    inject(world, random) {
      if (world.writers.length === 0) return "skipped"
      const writer = random.pick(world.writers)
      if (!writer.running) return "skipped"
      writer.crash(storage)
      return { host: writer.host, end: () => startAll(writer) }
    },
  }
}

const clientStorage: Fault = {
  name: "client-storage",
  explain: "a client's own storage refuses writes for a while, or reads as well",
  row: "client crash and storage",
  everyMs: [8000, 60_000],
  lastsMs: [100, 8000],
  inject(world, random) {
    if (world.clientDisks.length === 0) return "skipped"
    const disk = random.pick(world.clientDisks)
    // Native clients come first, each with its storage.
    const host = world.writers[world.clientDisks.indexOf(disk)]?.host
    disk.failing = true
    disk.readsFail = random.chance(0.5)
    const end = (): void => {
      disk.failing = false
      disk.readsFail = false
    }
    return host === undefined ? end : { host, end }
  },
}

export const clientFaults: readonly Fault[] = [
  clientMove,
  reopen,
  clientCrash("client-crash", "a client dies and starts again with its storage", "kept"),
  clientCrash("client-wipe", "a client dies and starts again with nothing", "lost"),
  clientStorage,
]
