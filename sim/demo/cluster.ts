/**
 * Nodes in a full mesh on the loopback, each pair connected through two proxies, one per
 * direction of dialling: either link carries both directions, so a pair is cut by cutting both.
 * Data folders, logs and processes belong to the cluster and end with it.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeProcess } from "./node-process.ts"
import { Proxy } from "./proxy.ts"
import type { CutType } from "./proxy.ts"
import { covers, entriesIn, joinOf, statusOf } from "./status.ts"
import type { Vector } from "./status.ts"
import { until } from "./wait.ts"
import type { Patience } from "./wait.ts"

/** Who can talk to whom: two nodes are connected if a group has both. Groups may overlap. */
export type Groups = readonly (readonly string[])[]

type Cable = { readonly from: string; readonly to: string; readonly proxy: Proxy }

export class Cluster {
  readonly nodes: readonly NodeProcess[]
  readonly directory: string
  readonly #cables: readonly Cable[]
  #groups: Groups

  private constructor(directory: string, names: readonly string[], cables: readonly Cable[]) {
    this.directory = directory
    this.#cables = cables
    this.#groups = [names]
    this.nodes = names.map((name) => {
      const peers = cables.filter(({ from }) => from === name).map(({ proxy }) => proxy.url)
      return new NodeProcess({ name, directory, peers })
    })
  }

  /** Starts nodes of these names; what was started ends again if one of them fails. */
  static async start(names: readonly string[]): Promise<Cluster> {
    const cables: Cable[] = []
    for (const from of names) {
      for (const to of names)
        if (from !== to) cables.push({ from, to, proxy: await Proxy.listen() })
    }
    const directory = mkdtempSync(join(tmpdir(), "causeway-cluster-"))
    const cluster = new Cluster(directory, names, cables)
    try {
      await Promise.all(cluster.nodes.map((node) => cluster.#start(node)))
    } catch (error) {
      await cluster.close().catch(() => {})
      throw error
    }
    return cluster
  }

  node(name: string): NodeProcess {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }

  /** Bytes that went over the links, WebSocket framing included. */
  get linkBytes(): number {
    return this.#cables.reduce((sum, { proxy }) => sum + proxy.bytes, 0)
  }

  /** Such as `A ✂ BC`; a node that does not run has a cross. */
  get picture(): string {
    const show = (name: string) => `${name.toUpperCase()}${this.node(name).isRunning ? "" : "†"}`
    return this.#groups.map((group) => group.map(show).join("")).join(" ✂ ")
  }

  cut(groups: Groups, type: CutType = "refuse"): void {
    this.#groups = groups
    for (const { from, to, proxy } of this.#cables) {
      const isWhole = groups.some((group) => group.includes(from) && group.includes(to))
      if (isWhole) proxy.heal()
      else proxy.cut(type)
    }
  }

  heal(): void {
    this.cut([this.nodes.map(({ name }) => name)])
  }

  /** On the same port with the same data. */
  async restart(name: string): Promise<void> {
    await this.#start(this.node(name))
  }

  async vectors(): Promise<readonly Vector[]> {
    const statuses = await Promise.all(this.nodes.map(statusOf))
    return statuses.map(({ vector }) => vector)
  }

  /**
   * Resolves once every node holds what any of them held at the call. All vectors are equal then,
   * but for what was written since: under load they would never be found equal.
   */
  async level(patience?: Patience): Promise<void> {
    const target = joinOf(await this.vectors())
    let vectors: readonly Vector[] = []
    const isLevel = async () => {
      vectors = await this.vectors()
      return vectors.every((vector) => covers(vector, target))
    }
    try {
      await until("every node holds every entry", isLevel, { everyMs: 10, ...patience })
    } catch (error) {
      const held = vectors.map((vector) => entriesIn(vector)).join(", ")
      throw new Error(`the nodes hold ${held} of ${entriesIn(target)} entries`, { cause: error })
    }
  }

  /** Stops all and removes the data, unless it is to be kept. @throws Error if a node hangs */
  async close({ keepData = false } = {}): Promise<void> {
    const ends = await Promise.allSettled(this.nodes.map((node) => node.stop()))
    await Promise.all(this.#cables.map(({ proxy }) => proxy.close()))
    if (!keepData) rmSync(this.directory, { recursive: true, force: true })
    for (const end of ends) if (end.status === "rejected") throw end.reason
  }

  /** At once and without waiting, for a process that is about to end. */
  killNow(): void {
    for (const node of this.nodes) node.killNow()
  }

  async #start(node: NodeProcess): Promise<void> {
    await node.start()
    for (const { to, proxy } of this.#cables) if (to === node.name) proxy.targetPort = node.port
  }
}
