/**
 * The servers of one run: started together, cut from each other, killed, stopped in order, imaged.
 * Invariant: a run's data lies below one folder, and `close` leaves neither a process nor a socket
 * behind.
 */
import { cp, mkdtemp } from "node:fs/promises"
import { basename, join } from "node:path"
import type { ServerSpec } from "../servers/catalog.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunningServer } from "../servers/server-process.ts"
import { ballastName } from "./small-disk.ts"

/** What connects the servers of a cluster with each other. */
export interface Network {
  cut(): Promise<void>
  heal(): Promise<void>
  close(): Promise<void>
}

type Member = { readonly spec: ServerSpec; readonly folder: string }

export type ClusterPlan = {
  readonly members: readonly Member[]
  readonly network: Network | undefined
  readonly onStarted?: (index: number, server: RunningServer) => void
}

/** SIGTERM, then SIGKILL after 10 s: what container runtimes do. */
export type Stopped = { readonly ms: number; readonly inTime: boolean }

/** Just below the time after which a server that does not stop is killed. */
const stopMsMax = 9900

function isData(path: string): boolean {
  return basename(path) !== ballastName
}

export class Cluster {
  readonly #plan: ClusterPlan
  #servers: RunningServer[] = []

  constructor(plan: ClusterPlan) {
    this.#plan = plan
  }

  /** Servers in it. */
  get size(): number {
    return this.#plan.members.length
  }

  async start(): Promise<void> {
    await Promise.all(
      this.#plan.members.map(async ({ spec, folder }, index) => {
        const server = await startServer(spec, folder)
        this.#servers[index] = server
        this.#plan.onStarted?.(index, server)
      }),
    )
  }

  /** Where clients of this server connect. @throws RangeError if it does not run. */
  urlOf(index: number): string {
    return new URL("/", this.#server(index).baseUrl).href
  }

  async cut(): Promise<void> {
    await this.#plan.network?.cut()
  }

  async heal(): Promise<void> {
    await this.#plan.network?.heal()
  }

  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()))
  }

  /** The slowest of them counts. */
  async stop(): Promise<Stopped> {
    const startMs = performance.now()
    await Promise.all(this.#servers.map((server) => server.stop()))
    const ms = performance.now() - startMs
    return { ms, inTime: ms < stopMsMax }
  }

  /** What servers said that ended by themselves. */
  failures(): string[] {
    return this.#servers.flatMap((server) => server.failure() ?? [])
  }

  /**
   * Copies of the data folders below `root` as a SIGKILL at this moment would leave them: all
   * processes stand still meanwhile.
   */
  async image(root: string): Promise<string[]> {
    const folders = new Set(this.#plan.members.map(({ folder }) => folder))
    for (const { pid } of this.#servers) process.kill(pid, "SIGSTOP")
    try {
      return await Promise.all(
        [...folders].map(async (folder) => {
          const copy = await mkdtemp(join(root, "image-"))
          await cp(folder, copy, { recursive: true, filter: isData })
          return copy
        }),
      )
    } finally {
      for (const { pid } of this.#servers) process.kill(pid, "SIGCONT")
    }
  }

  async close(): Promise<void> {
    await this.kill()
    await this.#plan.network?.close()
  }

  #server(index: number): RunningServer {
    const server = this.#servers[index]
    if (server === undefined) throw new RangeError(`server ${index} does not run`)
    return server
  }
}
