/**
 * Causeway nodes as processes of their own, linked through lines that can be slowed, cut and
 * counted, or a single node; what is asked of them goes over HTTP, as an operator asks.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { Cluster } from "../fault-matrix/cluster.ts"
import { serverSpec } from "../servers/catalog.ts"
import type { ServerSpec } from "../servers/catalog.ts"
import type { RunningServer } from "../servers/server-process.ts"
import { Lines } from "./toxiproxy.ts"

const pollMs = 25

export class Nodes {
  readonly lines: Lines | undefined
  readonly #cluster: Cluster
  readonly #servers: readonly RunningServer[]

  private constructor(
    cluster: Cluster,
    servers: readonly RunningServer[],
    lines: Lines | undefined,
  ) {
    this.#cluster = cluster
    this.#servers = servers
    this.lines = lines
  }

  /** `count` nodes below `folder`, each dialling every other; one alone has no lines. */
  static async start(folder: string, count: number, latencyMs: number): Promise<Nodes> {
    const lines = count === 1 ? undefined : await Lines.lay(count, latencyMs)
    const spec = serverSpec("causeway")
    const members = Array.from({ length: count }, (_, index) => {
      const peers = lines?.urlsOf(index).flatMap((url) => ["--peer", url]) ?? []
      const quiet = ["--log-level", "error"]
      const launch: ServerSpec["launch"] = (port, data) => [
        ...spec.launch(port, data).map((arg) => (arg === "bench" ? `n${index}` : arg)),
        ...peers,
        ...quiet,
      ]
      return { spec: { ...spec, launch }, folder: join(folder, `n${index}`) }
    })
    await Promise.all(members.map((member) => mkdir(member.folder, { recursive: true })))
    const servers: RunningServer[] = []
    const cluster = new Cluster({
      members,
      network: lines,
      onStarted: (index, server) => (servers[index] = server),
    })
    try {
      await cluster.start()
      for (const [index, { baseUrl }] of servers.entries()) {
        await lines?.connect(index, Number(new URL(baseUrl).port))
      }
      const nodes = new Nodes(cluster, servers, lines)
      await nodes.until("all nodes are linked", () => nodes.areLinked(), 20_000)
      return nodes
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get count(): number {
    return this.#servers.length
  }

  pidOf(node: number): number {
    return this.#server(node).pid
  }

  /** `ws://HOST:PORT/` */
  urlOf(node: number): string {
    return new URL("/", this.#server(node).baseUrl).href
  }

  nativeUrlOf(node: number): string {
    return new URL("/sync", this.urlOf(node)).href
  }

  /** The head of every origin, as one comparable text. */
  async vectorOf(node: number): Promise<string> {
    const status = await this.#status(node)
    return JSON.stringify(Object.entries(status.vector).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Whether the given nodes (all, if none are) are linked with each other, and no others. */
  async areLinked(nodes: readonly number[] = [...this.#servers.keys()]): Promise<boolean> {
    const all = await Promise.all(nodes.map((node) => this.#status(node)))
    return all.every(({ peers }) => {
      const linked = peers.filter(({ state }) => state === "linked")
      return new Set(linked.map((peer) => peer.node)).size === nodes.length - 1
    })
  }

  /** Whether the given nodes (all, if none are) have the same entries. */
  async areLevel(nodes: readonly number[] = [...this.#servers.keys()]): Promise<boolean> {
    const vectors = await Promise.all(nodes.map((node) => this.vectorOf(node)))
    return new Set(vectors).size === 1
  }

  /** Whether digests stand for all that the nodes have. */
  async areDigested(): Promise<boolean> {
    const all = await Promise.all(this.#servers.map((_, node) => this.#status(node)))
    return all.every(({ divergences }) => divergences.undigested === 0)
  }

  /** Entries of all origins. */
  async entriesOf(node: number): Promise<number> {
    const { vector } = await this.#status(node)
    return Object.values(vector).reduce((sum, seq) => sum + seq, 0)
  }

  /** A counter without labels. @throws Error if there is none of that name */
  async metricOf(node: number, name: string): Promise<number> {
    const text = await (await fetch(new URL("/metrics", this.#http(node)))).text()
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `))
    if (line === undefined) throw new Error(`no metric ${name}`)
    return Number(line.slice(name.length + 1))
  }

  /** A document's JSON, as text. */
  async documentOf(node: number, name: string): Promise<string> {
    const url = new URL(`/v1/documents/yjs/${name}`, this.#http(node))
    return (await fetch(url)).text()
  }

  /** Resolves with the milliseconds it took. @throws Error when it takes longer than `msMax`. */
  async until(what: string, condition: () => Promise<boolean>, msMax: number): Promise<number> {
    const startMs = performance.now()
    while (!(await condition())) {
      if (performance.now() - startMs > msMax) throw new Error(`not in ${msMax} ms: ${what}`)
      const [failure] = this.#cluster.failures()
      if (failure !== undefined) throw new Error(failure)
      await delay(pollMs)
    }
    return performance.now() - startMs
  }

  close(): Promise<void> {
    return this.#cluster.close()
  }

  #http(node: number): string {
    return this.urlOf(node).replace("ws:", "http:")
  }

  async #status(node: number): Promise<Status> {
    const status: unknown = await (await fetch(new URL("/v1/status", this.#http(node)))).json()
    if (!isStatus(status)) throw new Error("/v1/status does not look as expected")
    return status
  }

  #server(node: number): RunningServer {
    const server = this.#servers[node]
    if (server === undefined) throw new RangeError(`there is no node ${node}`)
    return server
  }
}

type Status = {
  readonly vector: Readonly<Record<string, number>>
  readonly peers: readonly { readonly node?: string; readonly state: string }[]
  readonly divergences: { readonly undigested: number }
}

function isStatus(value: unknown): value is Status {
  return (
    typeof value === "object" &&
    value !== null &&
    "vector" in value &&
    typeof value.vector === "object" &&
    "peers" in value &&
    Array.isArray(value.peers) &&
    "divergences" in value &&
    typeof value.divergences === "object"
  )
}
