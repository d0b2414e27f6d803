/**
 * The one loop of a client: inputs are handed to the core one at a time, and the effects of one
 * are carried out before the next. It owns the socket, the timer and the storage; replicas are
 * the documents' handles. Nothing here decides anything: the core does.
 */
import { unreachable } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { ClientCore, randomClientId } from "@causeway/crdt/client"
import type { ClientEffect, ClientEvent, ClientInput } from "@causeway/crdt/client"
import type { ConnectionStatus, PendingStatus } from "@causeway/crdt/client"
import type { ClientStorage, RejectedUpdate, StoredClient } from "@causeway/crdt/ports"
import { nowMs, onNetworkHint, systemRandom } from "./environment.ts"
import { SyncError } from "./errors.ts"
import { guarded, Listeners, State } from "./observable.ts"
import type { Replica } from "./replica.ts"
import { Saves } from "./saves.ts"
import type { Tier } from "./saves.ts"
import { Sockets } from "./sockets.ts"

export type DriverOptions = {
  readonly urls: readonly string[]
  readonly token: (() => string | Promise<string>) | undefined
  readonly storage: ClientStorage
}

/** setTimeout takes no more; a later deadline is asked for again. */
const timerMsMax = 2 ** 31 - 1

export class Driver {
  readonly connection: State<ConnectionStatus> = new State<ConnectionStatus>({
    state: "connecting",
    url: undefined,
  })
  readonly pending: State<PendingStatus> = new State<PendingStatus>({
    count: 0,
    bytes: 0,
    full: false,
    storageHealthy: true,
  })
  readonly events: Listeners<ClientEvent> = new Listeners<ClientEvent>()
  readonly rejections: Listeners<RejectedUpdate> = new Listeners<RejectedUpdate>()
  /** Rejected updates the app has not taken care of. */
  readonly rejected: Map<number, RejectedUpdate> = new Map<number, RejectedUpdate>()
  /** Settled once storage is read. */
  readonly loaded: Promise<void>
  readonly #options: DriverOptions
  readonly #sockets: Sockets
  readonly #saves = new Saves()
  readonly #replicas = new Map<DocumentId, Replica>()
  readonly #inbox: ClientInput[] = []
  readonly #forgetHints: () => void
  #core: ClientCore | undefined
  #running = false
  #closed: Promise<void> | undefined
  #failed: SyncError | undefined
  #onIdle: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: DriverOptions) {
    this.#options = options
    this.#sockets = new Sockets({
      onOpen: (socket) => this.hand({ type: "socket-opened", socket }),
      onFrame: (socket, bytes) => this.hand({ type: "frame", socket, bytes }),
      onClose: (socket, code, reason) => {
        this.hand({ type: "socket-closed", socket, code, reason })
      },
    })
    this.#forgetHints = onNetworkHint(() => this.hand({ type: "connect-now" }))
    this.loaded = new Promise((resolve, reject) => {
      options.storage.load(randomClientId(systemRandom), (result) => {
        if (result.ok) {
          this.#start(result.stored)
          resolve()
        } else {
          const error = new SyncError("ERR_STORAGE", result.message, false)
          this.#fail(error)
          reject(error)
        }
      })
    })
    // Each handle awaits it; that nobody does is no error.
    this.loaded.catch(() => undefined)
  }

  get isClosed(): boolean {
    return this.#closed !== undefined || this.#failed !== undefined
  }

  pendingDocuments(): DocumentId[] {
    return this.#core?.pendingDocuments() ?? []
  }

  /**
   * Opens the document. What is pending of it, from an earlier life or an earlier handle, is
   * applied first, because nodes don't send it back.
   */
  attach(replica: Replica): void {
    const { document } = replica
    const pending = this.#core?.pendingUpdates(document) ?? []
    if (pending.length > 0) replica.apply(pending)
    this.#replicas.set(document, replica)
    this.hand({ type: "open-document", document, generation: 0, resume: replica.resume() })
    // What was typed before may have changed the status already.
    const status = this.#core?.statusOf(document)
    if (status !== undefined) replica.onStatus(status)
  }

  detach(replica: Replica): void {
    if (this.#replicas.get(replica.document) !== replica) return
    this.#replicas.delete(replica.document)
    this.hand({ type: "close-document", document: replica.document })
  }

  async saved(document: DocumentId, tier: Tier): Promise<void> {
    await this.loaded
    if (this.#failed !== undefined) throw this.#failed
    if (this.#core === undefined || this.#closed !== undefined) throw closedError()
    if (tier === "quorum" || tier === "all") this.hand({ type: "want-tier", tier })
    await this.#saves.wait(this.#core, document, tier)
  }

  dismiss(seq: number): void {
    if (this.rejected.delete(seq)) this.hand({ type: "dismiss-rejected", seq })
  }

  /** Takes an input now, or right after the one that is being worked on. */
  hand(input: ClientInput): void {
    if (this.#failed !== undefined) return
    this.#inbox.push(input)
    this.#run()
  }

  /** Hangs up once everything typed is in storage. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#forgetHints()
    await this.loaded.catch(() => undefined)
    const core = this.#core
    while (core?.storing === true && core.pending.storageHealthy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.hand({ type: "stop" })
    clearTimeout(this.#timer)
    this.#saves.failAll(closedError())
    for (const replica of this.#replicas.values()) replica.onClosed()
    this.#replicas.clear()
    await new Promise<void>((resolve) => this.#options.storage.close(resolve))
  }

  #start(stored: StoredClient): void {
    const { urls, token } = this.#options
    for (const update of stored.rejected) this.rejected.set(update.seq, update)
    this.#core = new ClientCore({
      urls,
      random: systemRandom,
      stored,
      authenticated: token !== undefined,
    })
    if (this.#closed === undefined) this.#inbox.unshift({ type: "go-online" })
    this.#run()
    for (const update of stored.rejected) this.rejections.call(update)
  }

  /** The end of the client: no input is taken any more, and the app is told why. */
  #fail(error: SyncError): void {
    this.#failed = error
    this.#forgetHints()
    clearTimeout(this.#timer)
    this.#inbox.length = 0
    this.#saves.failAll(error)
    this.connection.set({ state: "closed", why: { code: undefined, reason: error.message } })
  }

  #run(): void {
    const core = this.#core
    if (core === undefined || this.#running) return
    this.#running = true
    try {
      for (let input = this.#inbox.shift(); input !== undefined; input = this.#inbox.shift()) {
        const effects: ClientEffect[] = []
        core.step(input, nowMs(), effects)
        for (const effect of effects) this.#carryOut(effect)
      }
    } finally {
      this.#running = false
    }
    this.#saves.check(core)
    this.#setTimer(core)
    if (!core.storing || !core.pending.storageHealthy) this.#onIdle?.()
  }

  #setTimer(core: ClientCore): void {
    clearTimeout(this.#timer)
    const next = core.nextDeadline()
    if (next === undefined) return
    const waitMs = Math.min(Math.max(0, Math.ceil(next.atMs - nowMs())), timerMsMax)
    this.#timer = setTimeout(() => this.hand({ type: "deadline" }), waitMs)
  }

  #carryOut(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        return this.#sockets.connect(effect.socket, effect.url)
      case "send":
        return this.#sockets.send(effect.socket, effect.frame)
      case "disconnect":
        return this.#sockets.close(effect.socket, effect.code, effect.reason)
      case "store":
        return this.#options.storage.write(effect.writes, (result) => {
          this.hand({ type: "stored", result })
        })
      case "fetch-token":
        return this.#fetchToken()
      case "deliver":
        return this.#deliver(effect.document, effect.updates)
      case "node-summary":
        return this.#compare(effect)
      case "rejected":
        return this.#onRejected(effect.update)
      default:
        return this.#tell(effect)
    }
  }

  /** Effects that only say something. */
  #tell(effect: Exclude<ClientEffect, { readonly type: Acted }>): void {
    switch (effect.type) {
      case "presence":
        return this.#replicas.get(effect.document)?.onPresence(effect.entries)
      case "document-status":
        return this.#replicas.get(effect.document)?.onStatus(effect.status)
      case "connection-status":
        return this.connection.set(effect.status)
      case "pending-status":
        return this.pending.set(effect.status)
      case "emit":
        return this.events.call(effect.event)
      case "retried":
        this.rejected.delete(effect.seq)
        return
      case "acked":
      case "resume":
        // The replica is in memory: its resume point is the core's until storage keeps both.
        return
      default:
        return unreachable(effect)
    }
  }

  #fetchToken(): void {
    const { token } = this.#options
    Promise.resolve()
      .then(() => token?.() ?? "")
      .then(
        (text) => this.hand({ type: "token", token: text }),
        (error: unknown) => this.hand({ type: "token-failed", message: String(error) }),
      )
  }

  #deliver(document: DocumentId, updates: readonly Uint8Array[]): void {
    const replica = this.#replicas.get(document)
    if (replica === undefined || updates.length === 0) return
    try {
      replica.apply(updates)
    } catch (error) {
      this.#inbox.push({ type: "deliver-failed", document, message: String(error) })
    }
  }

  #compare(effect: Extract<ClientEffect, { type: "node-summary" }>): void {
    const { document, summary, outgoing } = effect
    const replica = this.#replicas.get(document)
    guarded(() => {
      const bytes = replica?.lacking(summary, outgoing)
      if (bytes !== undefined) this.#inbox.push({ type: "difference", document, bytes })
    })
  }

  #onRejected(update: RejectedUpdate): void {
    this.rejected.set(update.seq, update)
    this.#saves.onRejected(update)
    this.rejections.call(update)
  }
}

type Acted =
  | "connect"
  | "send"
  | "disconnect"
  | "store"
  | "fetch-token"
  | "deliver"
  | "node-summary"
  | "rejected"

export function closedError(): SyncError {
  return new SyncError("ERR_CLOSED", "the client is closed", false)
}
