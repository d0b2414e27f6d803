/**
 * The one loop of a client: inputs are handed to the core one at a time, and the effects of one
 * are carried out before the next. It owns the socket, the timer and the storage; replicas are
 * the documents' handles. Nothing here decides anything: the core does.
 */
import { unreachable } from "@causeway/crdt/base"
import type { ClientId, DocumentId } from "@causeway/crdt/base"
import { ClientCore, randomClientId } from "@causeway/crdt/client"
import type { ClientEffect, ClientEvent, ClientInput } from "@causeway/crdt/client"
import type { ConnectionStatus, PendingStatus, RetryOutcome } from "@causeway/crdt/client"
import type { ClientStorage, DamagedRecord, DocumentEntry } from "@causeway/crdt/ports"
import type { LoadResult } from "@causeway/crdt/ports"
import type { RejectedUpdate, StorageResult } from "@causeway/crdt/ports"
import type { DocumentReadResult, StoredClient } from "@causeway/crdt/ports"
import type { ClientDriver, DriverOptions } from "./client-driver.ts"
import { nowMs, onNetworkHint, systemRandom } from "./environment.ts"
import { discardedError, openError, unsavedError } from "./document-errors.ts"
import { SyncError } from "./errors.ts"
import { memoryStorage } from "./memory-storage.ts"
import { guarded, Listeners, State } from "./observable.ts"
import type { Replica } from "./replica.ts"
import { Saves } from "./saves.ts"
import type { Tier } from "./saves.ts"
import { Sockets } from "./sockets.ts"
import { isWorthRetrying, loadInTime, openAttempts, openPauseMs } from "./storage-opening.ts"
import { failingOf } from "./storage-status.ts"
import type { StorageStatus } from "./storage-status.ts"
import { Tokens } from "./tokens.ts"

/** What a driver that has no say over when it works is given. */
export type DriverHooks = {
  /** Asked before anything is worked on; after a no, `run` is called once it may be. */
  readonly mayRun: () => boolean
  /** Called once all that was handed in was worked on. */
  readonly onIdle: (core: ClientCore) => void
}

type Work = ClientInput | ((core: ClientCore) => void)

/** setTimeout takes no more; a later deadline is asked for again. */
const timerMsMax = 2_147_483_647

export class Driver implements ClientDriver {
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
  readonly storage: State<StorageStatus> = new State<StorageStatus>({ state: "opening" })
  /** Records that storage could not read, in the order in which that was found. */
  readonly damaged: DamagedRecord[] = []
  readonly damages: Listeners<DamagedRecord> = new Listeners<DamagedRecord>()
  readonly events: Listeners<ClientEvent> = new Listeners<ClientEvent>()
  readonly rejections: Listeners<RejectedUpdate> = new Listeners<RejectedUpdate>()
  /** Rejected updates the app has not taken care of. */
  readonly rejected: Map<number, RejectedUpdate> = new Map<number, RejectedUpdate>()
  /** Settled once storage is read. */
  readonly loaded: Promise<void>
  readonly #options: DriverOptions & Partial<DriverHooks>
  readonly #sockets: Sockets
  readonly #tokens: Tokens
  readonly #saves = new Saves()
  readonly #replicas = new Map<DocumentId, Replica>()
  readonly #inbox: Work[] = []
  readonly #forgetHints: () => void
  /** Documents that are being read. */
  readonly #openings = new Set<Promise<void>>()
  #storage: ClientStorage
  #core: ClientCore | undefined
  #running = false
  #isAbandoned = false
  #closed: Promise<void> | undefined
  #onIdle: (() => void) | undefined
  #timerAtMs = Infinity
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: DriverOptions & Partial<DriverHooks>) {
    this.#options = options
    this.#tokens = new Tokens(options.token, (input) => this.hand(input))
    this.#sockets = new Sockets({
      onOpen: (socket) => this.hand({ type: "socket-opened", socket }),
      onFrame: (socket, bytes) => this.hand({ type: "frame", socket, bytes }),
      onClose: (socket, code, reason) => {
        this.hand({ type: "socket-closed", socket, code, reason })
      },
    })
    this.#forgetHints = onNetworkHint(() => this.hand({ type: "connect-now" }))
    this.#storage = options.storage ?? memoryStorage({ documents: false })
    this.loaded = this.#load()
    // Each handle awaits it; that nobody does is no error.
    this.loaded.catch(() => undefined)
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  pendingDocuments(): DocumentId[] {
    return this.#core?.pendingDocuments() ?? []
  }

  /** Reads the document from storage, and opens it if `isWanted` still. */
  open(replica: Replica, isWanted: () => boolean): Promise<void> {
    const opening = this.loaded.then(() => {
      if (!isWanted()) throw closedError()
      return new Promise<void>((resolve, reject) => {
        this.#storage.read(replica.document, (result) => {
          if (this.#core === undefined || !isWanted()) return reject(closedError())
          this.#attach(replica, this.#core, result)
          resolve()
        })
      })
    })
    const settled = opening.catch(() => undefined)
    this.#openings.add(settled)
    void settled.then(() => this.#openings.delete(settled))
    return opening
  }

  /**
   * Opens the document with what storage has of it, and what is pending, from an earlier life or
   * an earlier handle: nodes don't send that back. Rule [C8].
   */
  #attach(replica: Replica, core: ClientCore, result: DocumentReadResult): void {
    const { document } = replica
    if (!result.ok) this.storage.set(failingOf(result))
    else for (const damage of result.damaged) this.#onDamage(damage)
    const { generation, stored, pending, resume } = core.opening(document, result)
    const shown = replica.generation ?? 0
    const isWhole = applyAll(replica, stored)
    applyAll(replica, pending)
    this.#replicas.set(document, replica)
    const known = isWhole && resume !== undefined
    this.hand({
      type: "open-document",
      document,
      generation: Math.max(generation, shown),
      resume: known ? { type: "vector", vector: resume } : replica.resume(),
      stored,
    })
    // What was typed before may have changed the status already.
    const status = core.statusOf(document)
    if (status !== undefined) replica.onStatus(status)
  }

  /** What storage and outbox have of the document. */
  async kept(document: DocumentId): Promise<readonly Uint8Array[]> {
    await this.loaded
    return new Promise((resolve, reject) => {
      this.#storage.read(document, (result) => {
        if (this.#core === undefined) return reject(closedError())
        const { stored, pending, withheld } = this.#core.opening(document, result)
        resolve([...stored, ...pending, ...withheld])
      })
    })
  }

  /** What storage has copies of. */
  async documents(): Promise<readonly DocumentEntry[]> {
    await this.loaded
    if (this.#closed !== undefined) throw closedError()
    return new Promise((resolve, reject) => {
      this.#storage.list((result) => {
        if (result.ok) resolve(result.documents)
        else reject(new SyncError("ERR_STORAGE", result.message, true, { cause: result }))
      })
    })
  }

  /** Takes what there is of it out of storage. */
  async remove(document: DocumentId, discard: boolean, isOpen: () => boolean): Promise<void> {
    await this.loaded
    const core = this.#core
    if (core === undefined || this.isClosed) throw closedError()
    if (isOpen()) throw openError()
    const owed = core.owedOf(document)
    if (owed.pending + owed.rejected > 0) {
      if (!discard) throw unsavedError(owed)
      this.#saves.failAll(discardedError(), document)
    }
    for (const update of this.rejected.values()) {
      if (update.document === document) this.rejected.delete(update.seq)
    }
    this.hand({ type: "remove-document", document })
    await this.#saves.stored(core)
  }

  detach(replica: Replica): void {
    if (this.#replicas.get(replica.document) !== replica) return
    this.#replicas.delete(replica.document)
    this.hand({ type: "close-document", document: replica.document })
  }

  async saved(document: DocumentId, tier: Tier): Promise<void> {
    await this.loaded
    if (this.#core === undefined || this.#closed !== undefined) throw closedError()
    const { current } = this.storage
    if (tier === "local" && current.state === "memory-only" && current.code !== undefined) {
      throw new SyncError("ERR_STORAGE", current.message, false, { cause: current })
    }
    if (tier === "quorum" || tier === "all") this.hand({ type: "want-tier", tier })
    await this.#saves.wait(this.#core, document, tier)
  }

  dismiss(seq: number): void {
    if (this.rejected.delete(seq)) this.hand({ type: "dismiss-rejected", seq })
  }

  retry(seq: number): RetryOutcome {
    if (this.#core === undefined || this.isClosed) throw closedError()
    const outcome = this.rejected.has(seq) ? this.#core.retryOf(seq) : "gone"
    if (outcome === "pending") this.hand({ type: "retry-rejected", seq })
    return outcome
  }

  /** Takes an input now, or right after the one that is being worked on; or calls a function. */
  hand(input: Work): void {
    this.#inbox.push(input)
    this.run()
  }

  /** Ends at once: nothing more is sent or written, and no replica is told. */
  async abandon(): Promise<void> {
    this.#closed = Promise.resolve()
    this.#forgetHints()
    clearTimeout(this.#timer)
    this.#isAbandoned = true
    this.#core = undefined
    this.#sockets.closeAll()
    this.#onIdle?.()
    await new Promise<void>((resolve) => this.#storage.close(resolve))
  }

  /** Hangs up once everything typed is in storage. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#forgetHints()
    await this.loaded.catch(() => undefined)
    await Promise.all(this.#openings)
    while (this.#core?.storing === true && this.#core.pending.storageHealthy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.hand({ type: "stop" })
    this.#sockets.closeAll()
    clearTimeout(this.#timer)
    this.#saves.failAll(closedError())
    for (const replica of this.#replicas.values()) replica.onClosed()
    this.#replicas.clear()
    await new Promise<void>((resolve) => this.#storage.close(resolve))
  }

  async #load(): Promise<void> {
    const load = (fresh: ClientId): Promise<LoadResult> =>
      loadInTime(this.#storage, fresh, () => this.#isAbandoned)
    const fresh = randomClientId(systemRandom)
    let result = await load(fresh)
    for (let attempt = 1; attempt < openAttempts && this.#closed === undefined; attempt++) {
      if (result.ok || !isWorthRetrying(result)) break
      this.storage.set(failingOf(result))
      await new Promise((resolve) => setTimeout(resolve, openPauseMs * attempt))
      result = await load(fresh)
    }
    let status: StorageStatus =
      this.#options.storage === undefined
        ? { state: "memory-only", code: undefined, message: "as the app chose" }
        : { state: "ok" }
    if (!result.ok) {
      const { code, message } = result
      status = { state: "memory-only", code, message }
      this.#storage = memoryStorage()
      // An identity of its own: the other one may yet get into storage, without its numbers.
      result = await load(randomClientId(systemRandom))
    }
    if (!result.ok) throw new SyncError("ERR_STORAGE", result.message, false)
    this.#start(result.stored, status)
  }

  #start(stored: StoredClient, status: StorageStatus): void {
    if (this.#isAbandoned) return
    const { urls, token } = this.#options
    for (const update of stored.rejected) this.rejected.set(update.seq, update)
    for (const damage of stored.damaged) this.#onDamage(damage)
    this.#core = new ClientCore({
      urls,
      random: systemRandom,
      stored,
      authenticated: token !== undefined,
    })
    if (this.#closed === undefined) this.#inbox.unshift({ type: "go-online" })
    // Whoever hears that storage is open may look at what it held.
    this.pending.set(this.#core.pending)
    this.storage.set(status)
    this.run()
    for (const update of stored.rejected) this.rejections.call(update)
  }

  run(): void {
    const core = this.#core
    if (core === undefined || this.#running || this.#options.mayRun?.() === false) return
    this.#running = true
    try {
      for (let input = this.#inbox.shift(); input !== undefined; input = this.#inbox.shift()) {
        const effects: ClientEffect[] = []
        if (typeof input === "function") input(core)
        else core.step(input, nowMs(), effects)
        for (const effect of effects) this.#carryOut(effect)
      }
    } finally {
      this.#running = false
    }
    this.#saves.check(core)
    this.#options.onIdle?.(core)
    this.#setTimer(core)
    if (!core.storing || !core.pending.storageHealthy) this.#onIdle?.()
  }

  #setTimer(core: ClientCore): void {
    const atMs = core.nextDeadline()?.atMs ?? Infinity
    // An early one does no harm, and costs less than a new one at each input.
    if (atMs >= this.#timerAtMs) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    const waitMs = Math.min(Math.max(0, Math.ceil(atMs - nowMs())), timerMsMax)
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity
      this.hand({ type: "deadline" })
    }, waitMs)
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
        return this.#storage.write(effect.writes, (result) => this.#onStored(result))
      case "fetch-token":
        return this.#tokens.fetch()
      case "deliver":
        return this.#deliver(effect.document, effect.updates)
      case "node-summary":
        return this.#compare(effect)
      case "compact":
        return this.#compact(effect.document)
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
        return this.#deliver(effect.update.document, [effect.update.bytes])
      case "resume":
        return
      default:
        return unreachable(effect)
    }
  }

  #onStored(result: StorageResult): void {
    if (!result.ok) this.storage.set(failingOf(result))
    else if (this.storage.current.state === "failing") this.storage.set({ state: "ok" })
    this.hand({ type: "stored", result })
  }

  #onDamage(damage: DamagedRecord): void {
    this.damaged.push(damage)
    this.damages.call(damage)
  }

  /** Once all that is typed by now was handed in, also what a transaction has yet to tell. */
  #compact(document: DocumentId): void {
    const replica = this.#replicas.get(document)
    queueMicrotask(() => {
      if (replica === undefined || this.#replicas.get(document) !== replica) return
      if (replica.isAhead()) return
      guarded(() => this.hand({ type: "compacted", document, state: replica.state() }))
    })
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
  | "compact"

/** All at once; if the engine refuses that, one by one, as one bad update costs no other. */
function applyAll(replica: Replica, updates: readonly Uint8Array[]): boolean {
  if (updates.length === 0) return true
  try {
    replica.apply(updates)
    return true
  } catch {
    for (const update of updates) guarded(() => replica.apply([update]))
    return false
  }
}

export function closedError(): SyncError {
  return new SyncError("ERR_CLOSED", "the client is closed", false)
}
