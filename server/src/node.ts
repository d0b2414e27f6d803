/**
 * A whole node in this process: an HTTP server, and behind it one life after another on the same
 * store, each ended in order before the next begins. This is the API for embedding; the command
 * line is a thin shell around it.
 */
import type { Server } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import type { Millis, NodeId } from "@causeway/crdt/base"
import { limits } from "@causeway/crdt/base"
import { Reopenings } from "@causeway/crdt/node"
import type { NodeEvent, TokenCheck } from "@causeway/crdt/node"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import { TokenChecks } from "./auth/authenticate.ts"
import type { Authenticate } from "./auth/authenticate.ts"
import { formatAddress } from "./address.ts"
import type { ListenAddress } from "./address.ts"
import { Backups } from "./http/backup.ts"
import { createApp } from "./http/app.ts"
import { createHttpServer, listen, serveNode } from "./http/listen.ts"
import { Life, nowMs } from "./life.ts"
import { silentLog } from "./observe/log.ts"
import type { Log } from "./observe/log.ts"
import { logEvent } from "./observe/log-events.ts"
import { Metrics } from "./observe/metrics.ts"
import { logRenewal } from "./observe/renewal.ts"
import type { LastRenewal, RunningStatus } from "./observe/renewal.ts"
import { PartitionLog } from "./observe/partition-log.ts"
import { storeOpener } from "./open-store.ts"
import type { OpenStore, StoreChoice } from "./open-store.ts"
import { StartError } from "./start-error.ts"

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
  /** What peers must prove to know. Undefined: whoever names the cluster is believed. */
  readonly secret?: Uint8Array | undefined
  /** Whose a client's token is; wants a `secret` too. Undefined: everybody is let in. */
  readonly authenticate?: Authenticate | undefined
  /** Where peers may dial this node, `ws://HOST:PORT`; told to all. Undefined: only who knows. */
  readonly advertise?: string | undefined
  /** How long own updates may wait for others before peers get them. Undefined: by their number. */
  readonly pushDelayMs?: Millis | undefined
  /** What an admin request must show. Undefined: admin requests are refused. */
  readonly adminToken?: string | undefined
  /** Bytes of log past which floors wait for no member, at least 1. Undefined: 1 GiB. */
  readonly logBytesMax?: number | undefined
  /** How long floors over what is folded wait for a member. Undefined: 7 days. */
  readonly logAgeMsMax?: Millis | undefined
  readonly log?: Log
}

export interface RunningNode {
  /** `ws://HOST:PORT`, with the real port. */
  readonly url: string
  status(): RunningStatus
  /** Graceful and bounded: within 5 s all is saved and closed, even if the store is failing. */
  close(): Promise<void>
}

/** For the store to finish what is under way when the node is closed. */
const closeStoreMs = 1500
/** For an opening in doubt that is under way when the node is closed. */
const closeReopenMs = 3000
/** Between two warnings that tokens can't be checked. */
const uncheckedPauseMs = 10_000
/** For a partition report to be written. */
const closeReportsMs = 300

/**
 * Starts a node; it serves once this resolves. The port comes first: one that is taken leaves no
 * new data folder behind. @throws StartError
 */
export async function createNode(options: NodeOptions): Promise<RunningNode> {
  checkTrust(options)
  const log = options.log ?? silentLog
  const server = createHttpServer()
  const url = `ws://${formatAddress(await listen(server, options.listen))}`
  try {
    let node: Node | undefined
    let hasEnded = false
    const onEnded = () => {
      hasEnded = true
      node?.onStoreEnded()
    }
    const open = storeOpener(options.store, options.node, { log, onEnded })
    const store = await open()
    const partitions = await PartitionLog.open(directoryOf(options.store), log)
    node = new Node(options, { server, url, open, store, partitions, log })
    if (hasEnded) node.onStoreEnded()
    return node
  } catch (error) {
    server.close()
    server.closeAllConnections()
    throw error
  }
}

/** Or who is not let in as a client reads everything as a peer. */
function checkTrust({ authenticate, secret }: NodeOptions): void {
  if (authenticate === undefined || (secret?.length ?? 0) > 0) return
  const why = "clients' tokens are checked, but whoever names the cluster may link and read it all"
  throw new StartError("bad-config", `${why}: give it a secret (--secret-file, CAUSEWAY_SECRET)`)
}

type Parts = {
  /** Listens already. */
  readonly server: Server
  readonly url: string
  readonly open: OpenStore
  readonly store: Store
  readonly partitions: PartitionLog
  readonly log: Log
}

function directoryOf(store: StoreChoice): string | undefined {
  return store.type === "memory" ? undefined : store.directory
}

class Node implements RunningNode {
  readonly url: string
  readonly #options: NodeOptions
  readonly #parts: Parts
  readonly #metrics: Metrics
  readonly #reopenings = new Reopenings()
  readonly #tokens: TokenChecks | undefined
  #life: Life
  #renewed: LastRenewal | undefined
  /** Set while one life has ended and the next has not begun. */
  #reopening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #storeEndedMs: Millis = -Infinity
  #uncheckedSaidMs: Millis = -Infinity

  constructor(options: NodeOptions, parts: Parts) {
    this.url = parts.url
    this.#options = options
    this.#parts = parts
    const { authenticate } = options
    if (authenticate !== undefined) {
      this.#tokens = new TokenChecks(authenticate, (check) => this.#onChecked(check))
    }
    const counts = () => this.#life.transport.counts()
    this.#metrics = new Metrics(() => this.status(), counts)
    this.#life = this.#begin(parts.store)
    const app = createApp({
      status: () => this.status(),
      isStopping: () => this.#closing !== undefined,
      adminToken: options.adminToken,
      tokens: this.#tokens,
      metrics: this.#metrics,
      ask: (request, answer) => this.#life.ask(request, answer),
      partitions: () => parts.partitions.reports,
      backups: new Backups({
        store: () => this.#life.store,
        choice: options.store,
      }),
    })
    serveNode(parts.server, app, (...upgrade) => this.#life.transport.upgrade(...upgrade))
  }

  #begin(store: Store): Life {
    const { origin, renewed } = store.opened
    if (renewed !== undefined) {
      this.#renewed = { ...renewed, origin, atMs: nowMs() }
      this.#metrics.onRenewed(this.#renewed)
      logRenewal(this.#parts.log, this.#renewed)
    }
    const { cluster, peers, secret, advertise, pushDelayMs } = this.#options
    const { logBytesMax, logAgeMsMax } = this.#options
    return new Life({
      store,
      cluster,
      peers,
      secret,
      tokens: this.#tokens,
      advertise,
      pushDelayMs,
      logBytesMax,
      logAgeMsMax,
      reopenFromMs: this.#reopenings.fromMs,
      staying: this.#reopenings.staying,
      onEvent: (event) => this.#onEvent(event),
      onCutOff: (reason) => this.#metrics.onCutOff(reason),
      onReopen: (doubt) => this.#startReopening(doubt),
    })
  }

  /** It ran out of memory, for one. As after a crash: what nobody was told of is lost. */
  onStoreEnded(): void {
    if (this.#closing === undefined) this.#startReopening(undefined)
  }

  #startReopening(doubt: ReopenDoubt | undefined): void {
    this.#reopening ??= this.#reopen(doubt).finally(() => (this.#reopening = undefined))
  }

  /** That nobody can say whose tokens are is not said for each of them. */
  #onChecked(check: TokenCheck): void {
    this.#metrics.onTokenChecked(check)
    if (check.type !== "failed" || nowMs() - this.#uncheckedSaidMs < uncheckedPauseMs) return
    this.#uncheckedSaidMs = nowMs()
    this.#parts.log.warn({ message: check.message }, "tokens-unchecked")
  }

  #onEvent(event: NodeEvent): void {
    this.#metrics.onEvent(event)
    if (event.type === "partition-healed") {
      const { node } = this.#life.status()
      this.#parts.partitions.add({ node, ...event.report })
    }
    logEvent(this.#parts.log, event)
  }

  /** A store that does not open is tried again until it does: nothing is served meanwhile. */
  async #reopen(doubt: ReopenDoubt | undefined): Promise<void> {
    await this.#life.end(Infinity)
    let retryMs: number = limits.storeRetryMsMin
    if (doubt === undefined) await this.#waitAfterEnd()
    while (this.#closing === undefined) {
      try {
        const store = await this.#parts.open(doubt)
        if (doubt !== undefined) this.#reopenings.note(doubt, nowMs())
        this.#life = this.#begin(store)
        return
      } catch (error) {
        if (!(error instanceof StartError)) throw error
        this.#parts.log.error({ message: error.message }, "store-not-opened")
        await sleep(retryMs)
        retryMs = Math.min(retryMs * 2, limits.storeRetryMsMax)
      }
    }
  }

  /** Whatever ended the store's thread may end the next one as well. */
  async #waitAfterEnd(): Promise<void> {
    const { storeRetryMsMin, storeRetryMsMax, reopenPauseMs } = limits
    const isAgain = nowMs() - this.#storeEndedMs < reopenPauseMs
    this.#storeEndedMs = nowMs()
    await sleep(isAgain ? storeRetryMsMax : storeRetryMsMin)
  }

  status(): RunningStatus {
    return { ...this.#life.status(), renewed: this.#renewed }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { server } = this.#parts
    server.close()
    server.closeIdleConnections()
    // From here on no life begins but the one whose store is being opened right now.
    await Promise.race([this.#reopening, sleep(closeReopenMs, undefined, { ref: false })])
    await this.#life.stop()
    await this.#life.end(closeStoreMs)
    await Promise.race([
      this.#parts.partitions.close(),
      sleep(closeReportsMs, undefined, { ref: false }),
    ])
    server.closeAllConnections()
  }
}
