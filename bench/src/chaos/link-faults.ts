/** Faults of cables: Toxiproxy's toxics and blackhole routes, each with what ends it. */
import { clientCableOf, linkOf } from "./cluster.ts"
import type { Cluster } from "./cluster.ts"
import type { CableFault, Pair } from "./faults.ts"
import type { Proxies, ToxicWish, Undo } from "./proxies.ts"

/** Begins it. What it gives back ends it; undefined if there are no proxies. */
export async function breakCables(
  { names, network, proxies }: Cluster,
  fault: CableFault,
): Promise<Undo | undefined> {
  if (fault.type === "one-way" && network.silence !== undefined) {
    const end = network.silence(...fault.pair)
    return async () => end()
  }
  if (proxies === undefined) return undefined
  switch (fault.type) {
    case "split":
      return all(between(names, fault.groups).map((cable) => proxies.down(cable)))
    case "client-cut":
      return proxies.down(clientCableOf(fault.client))
    case "client-slicer":
      return both(proxies, [clientCableOf(fault.client)], "slicer", slices(fault.bytes, 0))
    default:
      return breakPair(proxies, fault)
  }
}

async function breakPair(
  proxies: Proxies,
  fault: Extract<CableFault, { readonly pair: Pair }>,
): Promise<Undo> {
  const cables = bothWays(fault.pair)
  switch (fault.type) {
    case "cut":
      return all(cables.map((cable) => proxies.down(cable)))
    case "one-way":
      return oneWay(proxies, fault.pair)
    case "timeout":
      return both(proxies, cables, "timeout", { timeout: fault.closeMs })
    case "latency":
      return both(proxies, cables, "latency", { latency: fault.ms, jitter: fault.jitterMs })
    case "bandwidth":
      return both(proxies, cables, "bandwidth", { rate: fault.kilobytesPerSecond })
    case "slicer":
      return both(proxies, cables, "slicer", slices(fault.bytes, fault.delayUs))
    case "reset-peer":
      return reset(proxies, cables, fault.afterMs)
  }
}

function bothWays([one, other]: Pair): string[] {
  return [linkOf(one, other), linkOf(other, one)]
}

/** Cables of pairs that no group has both ends of. */
function between(names: readonly string[], groups: readonly (readonly string[])[]): string[] {
  return names.flatMap((from) => {
    const apart = (to: string) =>
      !groups.some((group) => group.includes(from) && group.includes(to))
    return names.filter((to) => to !== from && apart(to)).map((to) => linkOf(from, to))
  })
}

function slices(bytes: number, delayUs: number): Record<string, number> {
  return { average_size: bytes, size_variation: Math.floor(bytes / 2), delay: delayUs }
}

/** Of the cable that `from` dialled it is the bytes going up, of the other those coming down. */
function oneWay(proxies: Proxies, [from, to]: Pair): Promise<Undo> {
  const attributes = { timeout: 0 }
  return all([
    proxies.toxic(linkOf(from, to), { type: "timeout", attributes, stream: "upstream" }),
    proxies.toxic(linkOf(to, from), { type: "timeout", attributes, stream: "downstream" }),
  ])
}

function both(
  proxies: Proxies,
  cables: readonly string[],
  type: ToxicWish["type"],
  attributes: ToxicWish["attributes"],
): Promise<Undo> {
  const streams = ["upstream", "downstream"] as const
  const toxics = cables.flatMap((cable) =>
    streams.map((stream) => proxies.toxic(cable, { type, attributes, stream })),
  )
  return all(toxics)
}

/** It is only felt by connections that begin later, so those there are end first. */
async function reset(proxies: Proxies, cables: readonly string[], afterMs: number): Promise<Undo> {
  const end = await both(proxies, cables, "reset_peer", { timeout: afterMs })
  await Promise.all(cables.map((cable) => proxies.bounce(cable)))
  return end
}

/** All that began end together. */
async function all(starts: readonly Promise<Undo>[]): Promise<Undo> {
  const ends = await Promise.all(starts)
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}
