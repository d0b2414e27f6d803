/** Faults of a client's own storage beyond refusing writes: it is older than its client. */
import type { Fault } from "./fault.ts"

const clientRestored: Fault = {
  name: "client-restored",
  explain:
    "a client dies and starts again on an older copy of its storage, as after a restored backup;" +
    " what it then writes under numbers that a node has logged already may be lost",
  row: "client crash and storage",
  everyMs: [20_000, 150_000],
  lastsMs: [300, 20_000],
  inject(world, random) {
    // Native clients come first, each with its storage.
    const index = random.int(0, world.clientDisks.length - 1)
    const writer = world.writers[index]
    const disk = world.clientDisks[index]
    if (writer === undefined || disk === undefined) return "skipped"
    const backup = disk.copy()
    const end = (): void => {
      if (writer.running) writer.crash("kept")
      const before = disk.copy()
      disk.putBack(backup)
      world.oracle.onClientRestored(writer, before, backup)
      writer.start()
    }
    return { host: writer.host, end }
  },
}

export const clientDiskFaults: readonly Fault[] = [clientRestored]
