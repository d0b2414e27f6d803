/**
 * Members that are given up while they live: an operator retires a node that nobody hears of, and
 * then it comes back, with all that it wrote meanwhile. Rules [L14] [M4] [M5] [M6].
 */
import type { Millis, NodeId } from "@causeway/crdt/base"
import { between } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"
import { nodeHosts } from "./hosts.ts"

/** Of the time that it lasts: others have noticed by then, or it is too short for that. */
const AWAY = 0.8
/** Nobody reads the answers of these. */
const COMMAND = 1_000_000_000

/** Whom each run has retired so far. */
const retired = new WeakMap<World, Set<NodeId>>()

const retire: Fault = {
  name: "retire",
  explain: "a node that nobody can reach is retired as a member, takes writes, and comes back",
  row: "wipe, restored backup, cloned disk",
  everyMs: [20_000, 150_000],
  lastsMs: [2000, 40_000],
  inject(world, random, lastsMs: Millis) {
    const gone = random.pick(world.nodes)
    const others = nodeHosts(world).filter((host) => host !== gone.host)
    // Who retires the others one by one is a cluster of one, and acks alone.
    if (others.length < 2 || world.nodes.some((node) => isMissing(world, node))) return "skipped"
    const heal = world.network.reachability.cut(between([gone.host], others))
    const asked = random.pick(world.nodes.filter((node) => node !== gone))
    world.scheduler.after(lastsMs * AWAY, () => {
      if (!asked.running || world.nodes.some((node) => isMissing(world, node))) return
      // A second time it would be out for long: it pauses between openings ([E5]).
      const before = retired.get(world) ?? new Set()
      if (before.has(gone.node)) return
      retired.set(world, before.add(gone.node))
      const request = { type: "retire", node: gone.node } as const
      asked.input({ type: "command", command: COMMAND, request })
    })
    return heal
  },
}

/** Whether some running node goes without it as a member. */
function isMissing({ nodes }: World, { node }: SimNode): boolean {
  return nodes.some(({ core }) => core?.status().members.active.includes(node) === false)
}

export const memberFaults: readonly Fault[] = [retire]
