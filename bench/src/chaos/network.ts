/**
 * Where nodes live and how they reach each other. On the loopback every host is 127.0.0.1. With
 * namespaces each node has a network of its own, one cable away from the runner's: proxies stand
 * at the runner's end, and every pair of nodes has addresses of its own on it, so that a blackhole
 * route takes one direction of one pair and nothing else.
 */
import { freePort } from "../servers/server-process.ts"
import type { Estate } from "./estate.ts"
import { system } from "./things.ts"

export interface Network {
  /** Where the runner reaches a node. */
  hostOf(node: string): string
  /** Where nodes listen: with a network of their own, at all addresses of it. */
  readonly listenHost: string
  /** A port nobody listens on there. */
  portFor(node: string): Promise<number>
  /** A command as it is started where the node lives. */
  within(node: string, command: readonly string[]): readonly string[]
  /** Where `from` dials `to`, and where the proxy there dials on. */
  cable(from: string, to: string): { readonly listen: string; readonly upstream: string }
  /** Nothing that `from` sends arrives at `to`, until the result is called; undefined: can't. */
  readonly silence: ((from: string, to: string) => () => void) | undefined
  close(): void
}

const loopback = "127.0.0.1"

/** All on 127.0.0.1. */
export const loopbackNetwork: Network = {
  hostOf: () => loopback,
  listenHost: loopback,
  portFor: () => freePort(),
  within: (_node, command) => command,
  cable: () => ({ listen: loopback, upstream: loopback }),
  silence: undefined,
  close: () => {},
}

/** RFC 2544: addresses for tests of networks, never routed. */
const testNetwork = "198.18"
const nodePort = 8642
/** Blocks of so many subnets, one for each node of a run. */
const subnetsPerRun = 8
const subnetsMax = 256

/** One namespace per node; the cables are gone when the estate undoes them. */
export function namespaceNetwork(nodes: readonly string[], estate: Estate): Network {
  const block = freeBlock()
  const undo: (() => void)[] = []
  const [net, name] = [
    (node: string) => `${testNetwork}.${block + nodes.indexOf(node)}`,
    (node: string) => `causeway-${block}-${node}`,
  ]
  for (const node of nodes) {
    system("ip", "netns", "add", name(node))
    undo.push(estate.made({ type: "namespace", name: name(node) }))
    connect(name(node), `cw${block}${node}`, net(node))
    for (const [index, other] of nodes.entries()) if (other !== node) addPair(node, index)
  }

  /** Addresses for what goes between a node and another one, whichever of them dials. */
  function addPair(node: string, other: number): void {
    const cable = `cw${block}${node}`
    const inside = ["ip", "-n", name(node)] as const
    const [dials, accepts, dialled] = [220 + other, 200 + other, 100 + other]
    system("ip", "address", "add", `${net(node)}.${dials}/32`, "dev", cable)
    system("ip", "address", "add", `${net(node)}.${accepts}/32`, "dev", cable)
    const to = `${net(node)}.${dialled}`
    system(...inside, "address", "add", `${to}/24`, "dev", "cable")
    const route = ["ip", "route", "replace", `${to}/32`, "dev", cable] as const
    system(...route, "src", `${net(node)}.${accepts}`)
  }

  return {
    hostOf: (node) => `${net(node)}.2`,
    listenHost: "0.0.0.0",
    portFor: () => Promise.resolve(nodePort),
    within: (node, command) => ["nsenter", `--net=/run/netns/${name(node)}`, "--", ...command],
    cable: (from, to) => ({
      listen: `${net(from)}.${220 + nodes.indexOf(to)}`,
      upstream: `${net(to)}.${100 + nodes.indexOf(from)}`,
    }),
    silence: (from, to) => {
      const index = nodes.indexOf(to)
      const lost = [`${net(from)}.${220 + index}/32`, `${net(from)}.${200 + index}/32`]
      for (const address of lost)
        system("ip", "-n", name(from), "route", "add", "blackhole", address)
      return () => {
        for (const address of lost) {
          system("ip", "-n", name(from), "route", "delete", "blackhole", address)
        }
      }
    },
    close: () => {
      for (const node of nodes) system("ip", "netns", "delete", name(node))
      for (const forget of undo) forget()
    },
  }
}

/** A pair of interfaces: the runner's end is .1, the node's is .2. */
function connect(namespace: string, cable: string, net: string): void {
  const inside = ["ip", "-n", namespace] as const
  const peer = ["peer", "name", "cable", "netns", namespace] as const
  system("ip", "link", "add", cable, "type", "veth", ...peer)
  system("ip", "address", "add", `${net}.1/24`, "dev", cable)
  system("ip", "link", "set", cable, "up")
  system(...inside, "address", "add", `${net}.2/24`, "dev", "cable")
  system(...inside, "link", "set", "cable", "up")
  system(...inside, "link", "set", "lo", "up")
}

/** Subnets that no other run has; where runs begin to look depends on their process. */
function freeBlock(): number {
  const used = system("ip", "-4", "-brief", "address")
  const blocks = subnetsMax / subnetsPerRun
  for (let count = 0; count < blocks; count++) {
    const block = ((process.pid + count) % blocks) * subnetsPerRun
    const subnets = Array.from({ length: subnetsPerRun }, (_, index) => block + index)
    if (!subnets.some((subnet) => used.includes(`${testNetwork}.${subnet}.`))) return block
  }
  throw new Error(`all of ${testNetwork}.0.0/16 is in use`)
}
