/** Drawing hosts for faults. */
import type { Direction, HostId } from "../reachability.ts"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"

export function nodeHosts(world: World): HostId[] {
  return world.nodes.map(({ host }) => host)
}

export function clientHosts(world: World): HostId[] {
  return world.writers.map(({ host }) => host)
}

export function hostsOf(world: World): HostId[] {
  return [...nodeHosts(world), ...clientHosts(world)]
}

/** Two hosts of which at least one is a node, in random order. */
export function pairOf(world: World, random: SimRandom): Direction {
  const node = random.pick(world.nodes).host
  const others = hostsOf(world).filter((host) => host !== node)
  const other = random.pick(others)
  return random.chance(0.5) ? [node, other] : [other, node]
}

/** Some of `values`, at least one, in random order. */
export function someOf<Value>(values: readonly Value[], random: SimRandom): Value[] {
  return random.shuffled(values).slice(0, random.int(1, Math.max(1, values.length)))
}
