/** Partitions of several shapes: who can send to whom, for a while. */
import { between } from "../reachability.ts"
import type { Direction, HostId } from "../reachability.ts"
import { clientHosts, hostsOf, nodeHosts, pairOf, someOf } from "./hosts.ts"
import type { Fault } from "./fault.ts"

const shapes = "halves, isolate, bridge, ring, majorities"

const halves: Fault = {
  name: "halves",
  explain: "nodes and clients fall apart into two groups that can't reach each other",
  row: shapes,
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
  row: shapes,
  everyMs: [8000, 60_000],
  lastsMs: [500, 25_000],
  inject(world, random) {
    const { host } = random.pick(world.nodes)
    const all = random.chance(0.3)
    const hosts = all ? hostsOf(world) : nodeHosts(world)
    const others = hosts.filter((other) => other !== host)
    return world.network.reachability.cut(between([host], others))
  },
}

const bridge: Fault = {
  name: "bridge",
  explain: "two groups of nodes see each other only through one node between them",
  row: shapes,
  everyMs: [10_000, 80_000],
  lastsMs: [2000, 30_000],
  inject(world, random) {
    if (world.nodes.length < 3) return "skipped"
    const [, ...rest] = random.shuffled(nodeHosts(world))
    const size = random.int(1, rest.length - 1)
    return world.network.reachability.cut(between(rest.slice(0, size), rest.slice(size)))
  },
}

const majorities: Fault = {
  name: "majorities",
  explain: "every node hears a majority of the nodes, and no two the same one (Jepsen's ring)",
  row: shapes,
  everyMs: [10_000, 60_000],
  lastsMs: [1000, 25_000],
  inject(world, random) {
    if (world.nodes.length < 3) return "skipped"
    return world.network.reachability.cut(majoritiesRing(random.shuffled(nodeHosts(world))))
  },
}

/** The node in the middle of each stretch of a majority's length hears that stretch only. */
export function majoritiesRing(ring: readonly HostId[]): Direction[] {
  const size = Math.floor(ring.length / 2) + 1
  return ring.flatMap((_, start) => {
    const turned = [...ring.slice(start), ...ring.slice(0, start)]
    const to = turned[Math.floor(size / 2)]
    if (to === undefined) return []
    return turned.slice(size).map((from): Direction => [from, to])
  })
}

const oneWay: Fault = {
  name: "one-way",
  explain: "what one host sends to another is lost, what comes back is not",
  row: "one-way partition",
  everyMs: [4000, 40_000],
  lastsMs: [500, 20_000],
  inject(world, random) {
    if (hostsOf(world).length < 2) return "skipped"
    return world.network.reachability.cut([pairOf(world, random)])
  },
}

const clientSplit: Fault = {
  name: "client-split",
  explain: "clients lose some nodes or all, perhaps in one direction only; nodes see each other",
  row: "client-side split, moving clients",
  everyMs: [5000, 40_000],
  lastsMs: [500, 25_000],
  inject(world, random) {
    const clients = clientHosts(world)
    if (clients.length === 0) return "skipped"
    const nodes = random.chance(0.4) ? nodeHosts(world) : someOf(nodeHosts(world), random)
    const both = between(someOf(clients, random), nodes)
    const nodeSet = new Set(nodes)
    const way = random.pick(["both", "to nodes", "to clients"])
    const cuts = both.filter(([, to]) => way === "both" || nodeSet.has(to) === (way === "to nodes"))
    return world.network.reachability.cut(cuts)
  },
}

const flapping: Fault = {
  name: "flapping",
  explain: "a path goes down and comes back many times a minute",
  row: "flapping, swizzle-clog",
  everyMs: [10_000, 60_000],
  lastsMs: [2000, 20_000],
  inject(world, random, lastsMs) {
    if (hostsOf(world).length < 2) return "skipped"
    const [one, other] = pairOf(world, random)
    const endMs = world.scheduler.nowMs + lastsMs
    const { reachability } = world.network
    let heal: (() => void) | undefined
    let isOver = false
    const flip = (): void => {
      heal?.()
      heal = undefined
      if (isOver || world.scheduler.nowMs >= endMs) return
      if (random.chance(0.6)) heal = reachability.cut(between([one], [other]))
      world.scheduler.after(random.logBetween(20, 2000), flip)
    }
    flip()
    return () => {
      isOver = true
      heal?.()
    }
  },
}

const swizzle: Fault = {
  name: "swizzle",
  explain: "nodes are cut off one after the other, then come back in another order",
  row: "flapping, swizzle-clog",
  everyMs: [10_000, 60_000],
  lastsMs: [2000, 25_000],
  inject(world, random, lastsMs) {
    if (world.nodes.length < 2) return "skipped"
    const { reachability } = world.network
    const victims = someOf(nodeHosts(world), random)
    const heals = new Map<HostId, () => void>()
    let isOver = false
    for (const [index, host] of victims.entries()) {
      world.scheduler.after((index * lastsMs) / (2 * victims.length), () => {
        const others = nodeHosts(world).filter((other) => other !== host)
        if (!isOver) heals.set(host, reachability.cut(between([host], others)))
      })
    }
    for (const [index, host] of random.shuffled(victims).entries()) {
      const share = 0.5 + (index + 1) / (2 * victims.length + 2)
      world.scheduler.after(lastsMs * share, () => heals.get(host)?.())
    }
    return () => {
      isOver = true
      for (const heal of heals.values()) heal()
    }
  },
}

export const partitionFaults: readonly Fault[] = [
  halves,
  isolate,
  oneWay,
  bridge,
  majorities,
  clientSplit,
  flapping,
  swizzle,
]
