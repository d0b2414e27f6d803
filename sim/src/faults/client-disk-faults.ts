/** Faults of a client's own storage beyond refusing writes: older than its client, or rotten. */
import { damaged } from "../client-damage.ts"
import type { ClientDisk } from "../client-disk.ts"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Fault } from "./fault.ts"

/** A native client and its storage: they come first among the writers. */
function someClient(
  { writers, clientDisks }: World,
  random: SimRandom,
): { readonly writer: SimWriter; readonly disk: ClientDisk } | undefined {
  const index = random.int(0, clientDisks.length - 1)
  const writer = writers[index]
  const disk = clientDisks[index]
  return writer === undefined || disk === undefined ? undefined : { writer, disk }
}

function crashAll({ shares }: SimWriter): void {
  for (const writer of shares) if (writer.running) writer.crash("kept")
}

export function startAll({ shares }: SimWriter): void {
  for (const writer of shares) if (!writer.running) writer.start()
}

const clientRestored: Fault = {
  name: "client-restored",
  explain:
    "a client dies and starts again on an older copy of its storage, as after a restored backup;" +
    " what it then writes under numbers that a node has logged already may be lost",
  row: "client crash and storage",
  everyMs: [20_000, 150_000],
  lastsMs: [300, 20_000],
  inject(world, random) {
    const chosen = someClient(world, random)
    if (chosen === undefined) return "skipped"
    const { writer, disk } = chosen
    const backup = disk.copy()
    const end = (): void => {
      crashAll(writer)
      const before = disk.copy()
      disk.putBack(backup)
      world.oracle.onClientRestored(writer, before, backup)
      startAll(writer)
    }
    return { host: writer.host, end }
  },
}

const clientRot: Fault = {
  name: "client-rot",
  explain:
    "a client dies, and some of its storage can't be read when it starts again; what was typed" +
    " there and not logged is lost, or waits for what is, and nothing else",
  row: "client crash and storage",
  everyMs: [15_000, 120_000],
  lastsMs: [10, 10_000],
  inject(world, random) {
    const chosen = someClient(world, random)
    if (chosen?.writer.running !== true) return "skipped"
    const { writer, disk } = chosen
    crashAll(writer)
    const before = disk.copy()
    const { image, lost } = damaged(before, random)
    disk.putBack(image)
    world.oracle.onClientDamaged(writer, before, lost)
    const end = (): void => startAll(writer)
    return { host: writer.host, end }
  },
}

const clientSlowStorage: Fault = {
  name: "client-slow-storage",
  explain: "a client's storage takes many times longer for everything",
  row: "client crash and storage",
  everyMs: [8000, 60_000],
  lastsMs: [500, 12_000],
  inject(world, random) {
    const chosen = someClient(world, random)
    if (chosen?.disk.slowness !== 1) return "skipped"
    const { writer, disk } = chosen
    disk.slowness = random.logBetween(3, 300)
    const end = (): void => {
      disk.slowness = 1
    }
    return { host: writer.host, end }
  },
}

export const clientDiskFaults: readonly Fault[] = [clientRestored]

/** After all others, so that what a seed draws of those stays. */
export const laterClientDiskFaults: readonly Fault[] = [clientRot, clientSlowStorage]
