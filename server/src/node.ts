/**
 * A whole node in this process: store, core, driver, transport and HTTP, started and stopped
 * together. This is the API for embedding; the command line is a thin shell around it.
 */
import type { Server } from "node:http"
import { performance } from "node:perf_hooks"
import type { Millis, NodeId } from "@causeway/crdt/base"
import { NodeCore } from "@causeway/crdt/node"
import type { NodeStatus } from "@causeway/crdt/node"
import type { Store } from "@causeway/crdt/ports"
import { formatAddress } from "./address.ts"
import type { ListenAddress } from "./address.ts"
import { Driver } from "./driver.ts"
import { LazyEngines } from "./engines.ts"
import { createApp } from "./http/app.ts"
import { createHttpServer, listen, serveNode } from "./http/listen.ts"
import { Jobs } from "./jobs/jobs.ts"
import { silentLog } from "./observe/log.ts"
import type { Log } from "./observe/log.ts"
import { logEvent } from "./observe/log-events.ts"
import { Metrics } from "./observe/metrics.ts"
import { openStore } from "./open-store.ts"
import type { StoreChoice } from "./open-store.ts"
import { Transport } from "./transport/transport.ts"

export type NodeOptions = {
  /** Port 0: any free one. */
  readonly listen: ListenAddress
  readonly store: StoreChoice
  /** Undefined: the name the store has, or a fresh one. */
  readonly node?: NodeId | undefined
  /** Nodes link only within one cluster name. */
  readonly cluster: string
  /** Base addresses of peers to link with, `ws://HOST:PORT`. */
  readonly peers: readonly string[]
  readonly log?: Log
}

export interface RunningNode {
  /** `ws://HOST:PORT`, with the real port. */
  readonly url: string
  status(): NodeStatus
  /** Graceful and bounded: within 5 s all is saved and closed, even if the store is failing. */
  close(): Promise<void>
}

const closeLimits = {
  /** For what was accepted to become durable and connections to be told. */
  stopMs: 2500,
  /** For peers to finish their side of the close. */
  socketsMs: 500,
  storeMs: 1500,
} as const

/**
 * Starts a node; it serves once this resolves. The port comes first: one that is taken leaves no
 * new data folder behind. @throws StartError
 */
export async function createNode(options: NodeOptions): Promise<RunningNode> {
  const log = options.log ?? silentLog
  const server = createHttpServer()
  const url = `ws://${formatAddress(await listen(server, options.listen))}`
  try {
    const store = await openStore(options.store, options.node, log)
    return new Node(options, { server, url, store, log })
  } catch (error) {
    server.close()
    server.closeAllConnections()
    throw error
  }
}

type Parts = {
  /** Listens already. */
  readonly server: Server
  readonly url: string
  readonly store: Store
  readonly log: Log
}

class Node implements RunningNode {
  readonly url: string
  readonly #core: NodeCore
  readonly #store: Store
  readonly #transport: Transport
  readonly #jobs: Jobs
  readonly #driver: Driver
  readonly #server: Server
  #closing: Promise<void> | undefined
  #onStopped = () => {}

  constructor({ cluster, peers }: NodeOptions, { server, url, store, log }: Parts) {
    const engines = new LazyEngines()
    const { node, origin, heads } = store.opened
    const random = { next: () => Math.random() }
    const config = { node, origin, heads, cluster, peers, engines: engines.engines, random }
    this.url = url
    this.#server = server
    this.#store = store
    this.#core = new NodeCore(config, nowMs())
    const counts = () => this.#transport.counts()
    const metrics = new Metrics(() => this.status(), counts)
    this.#transport = new Transport({
      give: (input) => this.#driver.give(input),
      onCutOff: (reason) => metrics.onCutOff(reason),
    })
    this.#jobs = new Jobs(engines)
    this.#driver = new Driver({
      core: this.#core,
      store,
      transport: this.#transport,
      jobs: this.#jobs,
      engines,
      now: nowMs,
      onEvent: (event) => {
        metrics.onEvent(event)
        logEvent(log, event)
      },
      onStopped: () => this.#onStopped(),
      onReopen: ({ why }) => log.error({ why }, "store-in-doubt"),
    })
    const app = createApp({
      status: () => this.status(),
      isStopping: () => this.#closing !== undefined,
      metrics,
      ask: (request, answer) => this.#driver.ask(request, answer),
    })
    serveNode(server, app, this.#transport)
  }

  status(): NodeStatus {
    return this.#core.status()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#server.close()
    this.#server.closeIdleConnections()
    this.#transport.stopAccepting()
    await within(closeLimits.stopMs, (done) => {
      this.#onStopped = done
      this.#driver.give({ type: "stop" })
    })
    const { socketsMs, storeMs } = closeLimits
    await within(socketsMs * 2, (done) => this.#transport.end("service-restart", socketsMs, done))
    this.#driver.end()
    this.#jobs.end()
    await within(storeMs, (done) => this.#store.close(done))
    this.#server.closeAllConnections()
  }
}

/** Waits for `start` to call back, but not longer than that. */
function within(patienceMs: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, patienceMs)
    start(() => {
      clearTimeout(patience)
      resolve()
    })
  })
}

/** Milliseconds since 1970 that never run backwards. */
function nowMs(): Millis {
  return performance.timeOrigin + performance.now()
}
