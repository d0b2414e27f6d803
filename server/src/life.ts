/**
 * One life of a node: core, driver, transport and jobs on one opened store. It ends with the node,
 * or when its core finds the log in doubt; then the next life starts on the store opened anew,
 * behind the same HTTP server. Nothing of a life is used after its end.
 */
import { hash, randomBytes } from "node:crypto"
import { performance } from "node:perf_hooks"
import type { Millis } from "@causeway/crdt/base"
import { compactionLimits, NodeCore } from "@causeway/crdt/node"
import type {
  Command,
  NodeEvent,
  NodeStatus,
  ReopenTimes,
  Reply,
  StayingBranch,
} from "@causeway/crdt/node"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import type { CloseReason } from "@causeway/crdt/protocol"
import type { TokenChecks } from "./auth/authenticate.ts"
import { Driver } from "./driver.ts"
import { LazyEngines } from "./engines.ts"
import { Jobs } from "./jobs/jobs.ts"
import { Transport } from "./transport/transport.ts"

export type LifeOptions = {
  readonly store: Store
  readonly cluster: string
  readonly peers: readonly string[]
  /** What peers must prove to know. */
  readonly secret?: Uint8Array | undefined
  /** Undefined: everybody is let in. */
  readonly tokens: TokenChecks | undefined
  /** Where peers may dial this node. */
  readonly advertise?: string | undefined
  readonly pushDelayMs?: Millis | undefined
  /** How much log is kept, and for how long; undefined: as compaction does by itself. */
  readonly logBytesMax?: number | undefined
  readonly logAgeMsMax?: Millis | undefined
  readonly reopenFromMs: ReopenTimes
  readonly staying: StayingBranch | undefined
  readonly onEvent: (event: NodeEvent) => void
  readonly onCutOff: (reason: CloseReason) => void
  /** The core is over; this life is to be ended, and another one to follow. */
  readonly onReopen: (doubt: ReopenDoubt) => void
}

const endLimits = {
  /** For what was accepted to become durable and connections to be told. */
  stopMs: 2500,
  /** For peers to finish their side of the close. */
  socketsMs: 500,
} as const

export class Life {
  readonly transport: Transport
  readonly #core: NodeCore
  readonly #store: Store
  readonly #jobs: Jobs
  readonly #driver: Driver
  #onStopped = () => {}
  #hasEnded = false

  constructor(options: LifeOptions) {
    const {
      store,
      cluster,
      peers,
      secret,
      tokens,
      advertise = "",
      pushDelayMs,
      logBytesMax = compactionLimits.logBytesMax,
      logAgeMsMax = compactionLimits.logAgeMsMax,
      reopenFromMs,
      staying,
      onEvent,
      onCutOff,
      onReopen,
    } = options
    const engines = new LazyEngines()
    const { node, origin, heads, floors, cuts, clusterRecords, notes } = store.opened
    const bytes = (count: number) => new Uint8Array(randomBytes(count))
    const random = { next: () => Math.random(), bytes }
    const identity = { node, origin, heads, floors, cuts, clusterRecords, notes, cluster, peers }
    const trust = { address: advertise, ...(secret === undefined ? {} : { secret }) }
    const config = {
      ...identity,
      ...trust,
      checksTokens: tokens !== undefined,
      pushDelayMs,
      engines: engines.engines,
      random,
      sha256: (input: Uint8Array) => hash("sha256", input, "buffer"),
      compaction: { logBytesMax, logAgeMsMax },
      reopenFromMs,
      staying,
    }
    this.#store = store
    this.#core = new NodeCore(config, nowMs())
    this.transport = new Transport({ give: (input) => this.#driver.give(input), onCutOff, tokens })
    this.#jobs = new Jobs(engines)
    this.#driver = new Driver({
      core: this.#core,
      store,
      transport: this.transport,
      jobs: this.#jobs,
      tokens,
      engines,
      now: nowMs,
      onEvent,
      onStopped: () => this.#onStopped(),
      onReopen,
    })
  }

  status(): NodeStatus {
    return this.#core.status()
  }

  ask(request: Command, answer: (reply: Reply) => void): void {
    this.#driver.ask(request, answer)
  }

  get store(): Store {
    return this.#store
  }

  /** Asks the core to end: within a bound all that was accepted is durable. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return
    this.transport.stopAccepting()
    await within(endLimits.stopMs, (done) => {
      this.#onStopped = done
      this.#driver.give({ type: "stop" })
    })
  }

  /** Ends what is left, the store last, for which it waits `storeMs` at most. */
  async end(storeMs: number): Promise<void> {
    this.#hasEnded = true
    const { socketsMs } = endLimits
    await within(socketsMs * 2, (done) => this.transport.end("service-restart", socketsMs, done))
    this.#driver.end()
    this.#jobs.end()
    await within(storeMs, (done) => this.#store.close(done))
  }
}

/** Waits for `start` to call back, but not longer than that; Infinity: as long as it takes. */
function within(patienceMs: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const patience = patienceMs < Infinity ? setTimeout(resolve, patienceMs) : undefined
    start(() => {
      clearTimeout(patience)
      resolve()
    })
  })
}

/** Milliseconds since 1970 that never run backwards. */
export function nowMs(): Millis {
  return performance.timeOrigin + performance.now()
}
