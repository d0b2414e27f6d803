/**
 * The faults there are, as data: what each does to whom, and what it needs of the machine. How
 * they are drawn is schedule.ts; how they are carried out is inject.ts.
 */

/** Two nodes, or the way between them from the first to the second. */
export type Pair = readonly [from: string, to: string]

/** Of the way between two nodes, or between a node and its clients. */
export type CableFault =
  | { readonly type: "cut"; readonly pair: Pair }
  | { readonly type: "split"; readonly groups: readonly (readonly string[])[] }
  | { readonly type: "one-way"; readonly pair: Pair }
  | { readonly type: "timeout"; readonly pair: Pair; readonly closeMs: number }
  | {
      readonly type: "latency"
      readonly pair: Pair
      readonly ms: number
      readonly jitterMs: number
    }
  | { readonly type: "bandwidth"; readonly pair: Pair; readonly kilobytesPerSecond: number }
  | {
      readonly type: "slicer"
      readonly pair: Pair
      readonly bytes: number
      readonly delayUs: number
    }
  | { readonly type: "reset-peer"; readonly pair: Pair; readonly afterMs: number }
  | { readonly type: "client-cut"; readonly client: string }
  | { readonly type: "client-slicer"; readonly client: string; readonly bytes: number }

/** Of a process and its disk: two of them never hold one node at a time. */
export type NodeFault =
  | { readonly type: "kill"; readonly node: string }
  | { readonly type: "pause"; readonly node: string }
  | { readonly type: "disk-full"; readonly node: string }
  | { readonly type: "wipe"; readonly node: string }
  | { readonly type: "restore"; readonly node: string }

/** One node after the other. */
type RollingRestart = { readonly type: "rolling-restart"; readonly nodes: readonly string[] }

export type Fault = CableFault | NodeFault | RollingRestart

export type FaultType = Fault["type"]

/** What a fault needs of the machine besides processes. */
export type Need = "toxiproxy" | "tmpfs"

const cableFaultTypes = [
  "cut",
  "split",
  "one-way",
  "timeout",
  "latency",
  "bandwidth",
  "slicer",
  "reset-peer",
  "client-cut",
  "client-slicer",
] as const

export const faultTypes: readonly FaultType[] = [
  ...cableFaultTypes,
  "kill",
  "pause",
  "rolling-restart",
  "disk-full",
  "wipe",
  "restore",
]

/** Takes entries off a disk: what only that disk had is gone. */
export function losesDisk(type: FaultType): boolean {
  return type === "wipe" || type === "restore"
}

/** What `type` cannot do without. */
export function needOf(type: FaultType): Need | undefined {
  if (type === "disk-full") return "tmpfs"
  return cableFaultTypes.some((known) => known === type) ? "toxiproxy" : undefined
}

/** Nodes that a fault stops, pauses or starts. */
export function nodesHeld(fault: Fault): readonly string[] {
  if ("node" in fault) return [fault.node]
  return "nodes" in fault ? fault.nodes : []
}

/** In words, such as `cut a–b`. */
export function tell(fault: Fault): string {
  if ("node" in fault) return `${fault.type} ${fault.node}${howOf[fault.type]}`
  if ("client" in fault) return tellOfClients(fault)
  if ("pair" in fault) return `${fault.type} ${tellOfPair(fault)}`
  if (fault.type === "split") {
    return `split ${fault.groups.map((group) => group.join("")).join(" | ")}`
  }
  return `rolling-restart ${fault.nodes.join(", ")} (SIGTERM)`
}

const howOf: Readonly<Record<NodeFault["type"], string>> = {
  kill: " (SIGKILL)",
  pause: " (SIGSTOP)",
  "disk-full": "",
  wipe: " (SIGKILL, folder deleted)",
  restore: " (SIGKILL, an older copy of its folder put back)",
}

function tellOfClients(fault: Extract<Fault, { readonly client: string }>): string {
  if (fault.type === "client-cut") return `client-cut: no client reaches ${fault.client}`
  return `client-slicer: clients of ${fault.client}, ${fault.bytes} bytes`
}

function tellOfPair(fault: Extract<Fault, { readonly pair: Pair }>): string {
  const pair = fault.pair.join("–")
  switch (fault.type) {
    case "cut":
      return pair
    case "one-way":
      return `nothing from ${fault.pair[0]} reaches ${fault.pair[1]}`
    case "timeout":
      return `${pair}, closed after ${fault.closeMs} ms`
    case "latency":
      return `${pair} ${fault.ms} ± ${fault.jitterMs} ms`
    case "bandwidth":
      return `${pair} ${fault.kilobytesPerSecond} kB/s`
    case "slicer":
      return `${pair} ${fault.bytes} bytes, ${fault.delayUs} µs apart`
    case "reset-peer":
      return `${pair} after ${fault.afterMs} ms`
  }
}
