/**
 * Three to five nodes in a full mesh, each pair over two proxies, one per direction of dialling;
 * clients have a proxy of their own to each node, the runner's questions go straight to the nodes.
 */
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Estate } from "./estate.ts"
import { smallDiskBytes } from "./disk.ts"
import type { Network } from "./network.ts"
import { NodeProcess, program } from "./node-process.ts"
import type { Proxies } from "./proxies.ts"
import { system } from "./things.ts"

export type ClusterWishes = {
  readonly names: readonly string[]
  readonly folder: string
  readonly network: Network
  /** Undefined: nodes and clients connect directly. */
  readonly proxies: Proxies | undefined
  /** Whose folder is a small tmpfs; undefined if none can be mounted. */
  readonly smallDisk: string | undefined
  readonly store: StoreWish
  readonly estate: Estate
}

/** Where nodes keep their logs; `mixed`: one node so, the next one so. */
export const storeWishes = ["sqlite", "level", "mixed"] as const

export type StoreWish = (typeof storeWishes)[number]

export const linkOf = (from: string, to: string): string => `${from}-${to}`
export const clientCableOf = (node: string): string => `client-${node}`

export class Cluster {
  readonly names: readonly string[]
  readonly nodes: readonly NodeProcess[]
  readonly network: Network
  readonly proxies: Proxies | undefined
  readonly smallDisk: string | undefined
  readonly folder: string
  /** Where clients reach each node: HOST:PORT by name. */
  readonly #entrances: ReadonlyMap<string, string>

  private constructor(
    wishes: ClusterWishes,
    nodes: readonly NodeProcess[],
    entrances: ReadonlyMap<string, string>,
  ) {
    this.names = wishes.names
    this.network = wishes.network
    this.proxies = wishes.proxies
    this.smallDisk = wishes.smallDisk
    this.folder = wishes.folder
    this.nodes = nodes
    this.#entrances = entrances
  }

  /** Cables first, then all nodes. What was made belongs to the estate, also after an error. */
  static async start(wishes: ClusterWishes): Promise<Cluster> {
    const { names, network, proxies } = wishes
    const ports = new Map<string, number>()
    for (const name of names) ports.set(name, await network.portFor(name))
    const entrances = new Map<string, string>()
    const peers = new Map<string, string[]>(names.map((name) => [name, []]))
    for (const to of names) {
      const port = ports.get(to) ?? 0
      const direct = `${network.hostOf(to)}:${port}`
      const entrance = await proxies?.add(clientCableOf(to), "127.0.0.1", direct)
      entrances.set(to, entrance ?? direct)
      for (const from of names) {
        if (from === to) continue
        const { listen, upstream } = network.cable(from, to)
        const cable = await proxies?.add(linkOf(from, to), listen, `${upstream}:${port}`)
        peers.get(from)?.push(`ws://${cable ?? direct}`)
      }
    }
    const common = commonFlags(wishes.folder)
    const nodes = names.map((name) => {
      const store = ["--store", storeOf(wishes, name)]
      const flags = [...common, ...store]
      for (const peer of peers.get(name) ?? []) flags.push("--peer", peer)
      return createNode(wishes, name, ports.get(name) ?? 0, flags)
    })
    await Promise.all(nodes.map((node) => node.start()))
    return new Cluster(wishes, nodes, entrances)
  }

  node(name: string): NodeProcess {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }

  /** `ws://HOST:PORT` for clients. */
  entrance(name: string): string {
    return `ws://${this.#entrances.get(name) ?? ""}`
  }

  /** Such as `a b† c‖`: a cross for one that does not run, bars for one that stands still. */
  get picture(): string {
    return this.nodes
      .map(({ name, isRunning, isPaused }) => name + (isRunning ? (isPaused ? "‖" : "") : "†"))
      .join(" ")
  }

  /** In order. @throws TooLate if one does not stop in time */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled(this.nodes.map((node) => node.stop()))
    for (const end of ends) if (end.status === "rejected") throw end.reason
  }
}

function createNode(
  { folder, network, estate, smallDisk }: ClusterWishes,
  name: string,
  port: number,
  flags: readonly string[],
): NodeProcess {
  const dataFolder = join(folder, "data", name)
  mkdirSync(dataFolder, { recursive: true })
  if (name === smallDisk) {
    const size = `size=${smallDiskBytes},mode=700`
    system("mount", "-t", "tmpfs", "-o", size, "tmpfs", dataFolder)
    estate.made({ type: "mount", path: dataFolder })
  }
  return new NodeProcess({
    name,
    host: network.hostOf(name),
    listenHost: network.listenHost,
    port,
    flags,
    dataFolder,
    logFile: join(folder, `${name}.log`),
    wrap: (command) => network.within(name, command),
    estate,
  })
}

function storeOf({ store, names }: ClusterWishes, name: string): Exclude<StoreWish, "mixed"> {
  if (store !== "mixed") return store
  return names.indexOf(name) % 2 === 0 ? "sqlite" : "level"
}

const secretBytes = 32

/** A cluster's secret where nodes know of one. */
function commonFlags(folder: string): string[] {
  const flags = ["--cluster", "chaos"]
  const help = execFileSync(process.execPath, [program, "serve", "--help"], { encoding: "utf8" })
  if (!help.includes("--secret-file")) return flags
  const file = join(folder, "secret")
  writeFileSync(file, `${randomBytes(secretBytes).toString("hex")}\n`, { mode: 0o600 })
  return [...flags, "--secret-file", file]
}
