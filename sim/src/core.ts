/**
 * The core of a liveness check: some nodes and the clients that can reach them are well, and all
 * other faults are there to stay. Others may still be linked to the core, lie beyond a cut, or
 * hear it without being heard. A core has to converge by itself. What ends for it: faults of its
 * hosts and of paths between two of them, and, as it must come to rest, attackers that write;
 * cuts need not end, for they are frozen.
 */
import type { FaultSchedule } from "./faults/index.ts"
import type { SimRandom } from "./random.ts"
import { between } from "./reachability.ts"
import type { Direction, HostId } from "./reachability.ts"
import type { SimNode } from "./sim-node.ts"
import type { World } from "./world.ts"
import type { SimWriter } from "./writer.ts"

export type Core = {
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
}

/** Undefined: the seed wants all nodes well at once. */
export function drawCore({ nodes, writers }: World, random: SimRandom): Core | undefined {
  const majority = Math.floor(nodes.length / 2) + 1
  const drawn = random.chance(0.5) ? majority : random.int(1, nodes.length)
  const size = random.chance(0.25) ? nodes.length : drawn
  if (size === nodes.length) return undefined
  const core = random.shuffled(nodes).slice(0, size)
  const hosts = new Set(core.map(({ host }) => host))
  const reaching = writers.filter(({ homes }) => homes.some((host) => hosts.has(host)))
  return { nodes: core, writers: reaching }
}

/** Makes the core well and all else permanent. Gives what ends that. */
export function healCore(
  core: Core,
  world: World,
  schedule: FaultSchedule,
  random: SimRandom,
): () => void {
  const well = new Set<HostId>([...core.nodes, ...core.writers].map(({ host }) => host))
  const thaw = world.network.reachability.freeze(well, cutsAround(core, well, world, random))
  schedule.freeze(well)
  return thaw
}

/**
 * A client of the core is cut off from all other nodes: one that stays with a node that is
 * broken for good, and still answers, can't be expected to converge with others.
 */
function cutsAround(
  core: Core,
  well: ReadonlySet<HostId>,
  { nodes }: World,
  random: SimRandom,
): Direction[] {
  const inside = core.nodes.map(({ host }) => host)
  const clients = core.writers.map(({ host }) => host)
  const outside = nodes.map(({ host }) => host).filter((host) => !well.has(host))
  return outside.flatMap((host) => {
    const cuts = between([host], clients)
    const kind = random.int(0, 4)
    // Three in five lie beyond a cut that works both ways, or one; the others stay as they are.
    if (kind <= 1) return [...cuts, ...between([host], inside)]
    if (kind > 2) return cuts
    const hears = random.chance(0.5)
    const oneWay = inside.map((other): Direction => (hears ? [host, other] : [other, host]))
    return [...cuts, ...oneWay]
  })
}
