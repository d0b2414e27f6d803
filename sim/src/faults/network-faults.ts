/** Faults between hosts: delay, and partitions of several shapes. */
import { between } from "../reachability.ts"
import type { Direction, HostId } from "../reachability.ts"
import type { SimRandom } from "../random.ts"
import type { Fault } from "./fault.ts"
import type { World } from "../world.ts"

function hostsOf(world: World): HostId[] {
  return [...world.nodes, ...world.writers].map(({ host }) => host)
}

/** Two hosts of which at least one is a node, in random order. */
function pairOf(world: World, random: SimRandom): Direction {
  const node = random.pick(world.nodes).host
  const others = hostsOf(world).filter((host) => host !== node)
  const other = random.pick(others)
  return random.chance(0.5) ? [node, other] : [other, node]
}

const delay: Fault = {
  name: "delay",
  explain: "some paths become many times slower for a while",
  row: "delay",
  everyMs: [3000, 30_000],
  lastsMs: [500, 10_000],
  inject(world, random) {
    const pairs = Array.from({ length: random.int(1, 4) }, () => pairOf(world, random))
    return world.network.reachability.slow(pairs, random.logBetween(3, 60))
  },
}

const halves: Fault = {
  name: "halves",
  explain: "nodes and clients fall apart into two groups that can't reach each other",
  row: "halves, isolate, bridge, ring, majorities",
  everyMs: [8000, 60_000],
  lastsMs: [500, 25_000],
  inject(world, random) {
    const hosts = random.shuffled(hostsOf(world))
    const size = random.int(1, Math.max(1, hosts.length - 1))
    const cuts = between(hosts.slice(0, size), hosts.slice(size))
    return world.network.reachability.cut(cuts)
  },
}

const isolate: Fault = {
  name: "isolate",
  explain: "one node loses all other nodes; its clients may still reach it",
  row: "halves, isolate, bridge, ring, majorities",
  everyMs: [8000, 60_000],
  lastsMs: [500, 25_000],
  inject(world, random) {
    const { host } = random.pick(world.nodes)
    const all = random.chance(0.3)
    const hosts = all ? hostsOf(world) : world.nodes.map((node) => node.host)
    const others = hosts.filter((other) => other !== host)
    return world.network.reachability.cut(between([host], others))
  },
}

const oneWay: Fault = {
  name: "one-way",
  explain: "what one host sends to another is lost, what comes back is not",
  row: "one-way partition",
  everyMs: [4000, 40_000],
  lastsMs: [500, 20_000],
  inject: (world, random) => world.network.reachability.cut([pairOf(world, random)]),
}

const bridge: Fault = {
  name: "bridge",
  explain: "two groups of nodes see each other only through one node between them",
  row: "halves, isolate, bridge, ring, majorities",
  everyMs: [10_000, 80_000],
  lastsMs: [2000, 30_000],
  inject(world, random) {
    if (world.nodes.length < 3) return "skipped"
    const [, ...rest] = random.shuffled(world.nodes.map(({ host }) => host))
    const size = random.int(1, rest.length - 1)
    return world.network.reachability.cut(between(rest.slice(0, size), rest.slice(size)))
  },
}

const flapping: Fault = {
  name: "flapping",
  explain: "a path goes down and comes back many times a minute",
  row: "flapping, swizzle-clog",
  everyMs: [10_000, 60_000],
  lastsMs: [2000, 20_000],
  inject(world, random, lastsMs) {
    const [one, other] = pairOf(world, random)
    const endMs = world.scheduler.nowMs + lastsMs
    const { reachability } = world.network
    let heal: (() => void) | undefined
    const flip = (): void => {
      heal?.()
      heal = undefined
      if (world.scheduler.nowMs >= endMs) return
      if (random.chance(0.6)) heal = reachability.cut(between([one], [other]))
      world.scheduler.after(random.logBetween(20, 2000), flip)
    }
    flip()
    return () => heal?.()
  },
}

const stall: Fault = {
  name: "stall",
  explain: "a host does not read from its sockets for a while",
  row: "slow receiver",
  everyMs: [5000, 40_000],
  lastsMs: [200, 12_000],
  inject(world, random, lastsMs) {
    world.network.reading.stall(random.pick(hostsOf(world)), world.scheduler.nowMs + lastsMs)
    return "done"
  },
}

export const networkFaults: readonly Fault[] = [
  delay,
  halves,
  isolate,
  oneWay,
  bridge,
  flapping,
  stall,
]
