/** Faults of single paths and connections: slow, torn, held up, full, and their receivers. */
import type { ConnectionId } from "@causeway/crdt/base"
import type { World } from "../world.ts"
import type { Fault } from "./fault.ts"
import { hostsOf, pairOf } from "./hosts.ts"

const delay: Fault = {
  name: "delay",
  explain: "some paths become many times slower for a while",
  row: "delay",
  everyMs: [3000, 30_000],
  lastsMs: [500, 10_000],
  inject(world, random) {
    if (hostsOf(world).length < 2) return "skipped"
    const pairs = Array.from({ length: random.int(1, 4) }, () => pairOf(world, random))
    return {
      hinders: (well) => pairs.some(([from, to]) => well.has(from) && well.has(to)),
      end: world.network.reachability.slow(pairs, random.logBetween(3, 60)),
    }
  },
}

const drop: Fault = {
  name: "drop",
  explain: "connections are reset without any cut: all that is under way on them is lost",
  row: "message drop",
  everyMs: [2000, 20_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const open = random.shuffled(world.network.dialled).slice(0, random.int(1, 3))
    if (open.length === 0) return "skipped"
    for (const connection of open) world.network.reset(connection, random.chance(0.5))
    return "done"
  },
}

/** Both ends are the product's, which has heartbeats; stock clients rely on their transport. */
function hasHeartbeats({ network, nodes, writers }: World, connection: ConnectionId): boolean {
  if (network.doorOf(connection)?.type === "y-websocket") return false
  const known = new Set([...nodes, ...writers].map(({ host }) => host))
  return network.hostsOf(connection).every((host) => known.has(host))
}

const halfOpen: Fault = {
  name: "half-open",
  explain:
    "a connection dies without a trace, as behind a NAT that forgot it: nothing arrives, and no" +
    " transport tells; only heartbeats do",
  row: "message drop",
  everyMs: [4000, 40_000],
  lastsMs: [1, 1],
  inject(world, random) {
    const open = world.network.dialled.filter((connection) => hasHeartbeats(world, connection))
    if (open.length === 0) return "skipped"
    world.network.halfOpen(random.pick(open))
    return "done"
  },
}

const lateFrames: Fault = {
  name: "late-frames",
  explain:
    "a connection is over for who dialled it, but what was under way is held up and arrives" +
    " later, perhaps after the first frames of the next connection",
  row: "reorder between links",
  everyMs: [2000, 20_000],
  lastsMs: [50, 15_000],
  inject(world, random, lastsMs) {
    const open = world.network.dialled
    if (open.length === 0) return "skipped"
    world.network.orphan(random.pick(open), lastsMs)
    return "done"
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

const trickle: Fault = {
  name: "trickle",
  explain: "a host takes so few bytes a second that what is sent to it piles up",
  row: "slow receiver",
  everyMs: [6000, 50_000],
  lastsMs: [1000, 20_000],
  inject(world, random, lastsMs) {
    const host = random.pick(hostsOf(world))
    const bytesPerSecond = random.logBetween(200, 50_000)
    world.network.reading.trickle(host, bytesPerSecond, world.scheduler.nowMs + lastsMs)
    return "done"
  },
}

export const networkFaults: readonly Fault[] = [delay, drop, lateFrames, stall, trickle]

/** Draws of a seed follow the list of faults: this one stands at its end. */
export const silentFaults: readonly Fault[] = [halfOpen]
