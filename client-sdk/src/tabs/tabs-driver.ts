/**
 * A client's driver in one of several tabs: its documents, and what the app sees of the client, are
 * the same whether this tab leads or follows. It owns the channel, the locks and the timer; the
 * protocol between tabs decides. Rules [H1]–[H10].
 */
import { limits } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientEvent, ConnectionStatus } from "@causeway/crdt/client"
import type { PendingStatus, RetryOutcome } from "@causeway/crdt/client"
import { TabsCore, tabMessageOf, tabsVersion } from "@causeway/crdt/client/tabs"
import type {
  LeadHow,
  LeaderEffect,
  MemberEffect,
  TabEffect,
  TabInput,
  TabMessage,
  Uncounted,
} from "@causeway/crdt/client/tabs"
import type { DamagedRecord, DocumentEntry, RejectedUpdate } from "@causeway/crdt/ports"
import type { ClientDriver, DocumentDriver, DriverOptions } from "../client-driver.ts"
import { closedError } from "../driver.ts"
import { nowMs } from "../environment.ts"
import { openError } from "../document-errors.ts"
import { SyncError } from "../errors.ts"
import { guarded, Listeners, State } from "../observable.ts"
import type { Replica } from "../replica.ts"
import type { Tier } from "../saves.ts"
import type { StorageStatus } from "../storage-status.ts"
import type { Answer, News, Question } from "./news.ts"
import { crowdedStorage } from "./crowded-storage.ts"
import { Reign } from "./reign.ts"
import { TabLocks } from "./tab-locks.ts"

type Open = {
  readonly replica: Replica
  /** As its status says; once it is deleted, it is no part of the document of that name. */
  generation: number
  isDeleted: boolean
  /** It may still, also after the app has dismissed that. */
  showsRefused: boolean
  readonly isWanted: () => boolean
  readonly resolve: () => void
  readonly reject: (error: SyncError) => void
}
type Ask = {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: SyncError) => void
}

const nothingPending: PendingStatus = { count: 0, bytes: 0, full: false, storageHealthy: true }

export class TabsDriver implements ClientDriver {
  readonly connection: State<ConnectionStatus> = new State<ConnectionStatus>({
    state: "connecting",
    url: undefined,
  })
  readonly pending: State<PendingStatus> = new State<PendingStatus>(nothingPending)
  readonly storage: State<StorageStatus> = new State<StorageStatus>({ state: "opening" })
  readonly damaged: DamagedRecord[] = []
  readonly damages: Listeners<DamagedRecord> = new Listeners<DamagedRecord>()
  /** Of the tab that leads alone. */
  readonly events: Listeners<ClientEvent> = new Listeners<ClientEvent>()
  readonly rejections: Listeners<RejectedUpdate> = new Listeners<RejectedUpdate>()
  readonly rejected: Map<number, RejectedUpdate> = new Map<number, RejectedUpdate>()
  readonly #options: DriverOptions
  readonly #tab: string
  readonly #locks: TabLocks
  readonly #channel: BroadcastChannel
  readonly #inbox: TabInput[] = []
  readonly #open = new Map<DocumentId, Open>()
  readonly #openings = new Set<Promise<void>>()
  readonly #asks = new Map<number, Ask>()
  #lastAsk = 0
  #core: TabsCore | undefined
  #reign: Reign | undefined
  #running = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed: Promise<void> | undefined
  #onSettled: (() => void) | undefined
  #offline = false
  #told = nothingPending
  #uncounted: Uncounted = nothingPending
  #pendingDocuments: readonly DocumentId[] = []

  constructor(name: string, locks: LockManager, options: DriverOptions) {
    this.#options = options
    this.#tab = crypto.randomUUID()
    this.#locks = new TabLocks(locks, name, this.#tab, {
      onGranted: (stolen) => this.#hand({ type: "granted", stolen }),
      onRobbed: () => this.#hand({ type: "robbed" }),
    })
    this.#channel = new BroadcastChannel(`causeway:tabs:${tabsVersion}:${name}`)
    this.#channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      const message = tabMessageOf(data)
      if (message === undefined) return
      this.#hand({ type: "heard", message })
      // Browsers hold back the timers of a hidden tab; those who follow are heard all the same.
      this.#reign?.driver.hand({ type: "deadline" })
    })
    this.#locks.live().then(
      () => this.#start(),
      // Locks are there and not allowed: each tab for itself, and one of them gets the storage.
      () => this.#start({ type: "not-allowed" }),
    )
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  pendingDocuments(): DocumentId[] {
    const own = this.#reign?.driver.pendingDocuments()
    return own ?? [...this.#pendingDocuments]
  }

  open(replica: Replica, isWanted: () => boolean): Promise<void> {
    const { document } = replica
    // Closed before its engine was loaded; another handle may be open by now.
    if (!isWanted()) return Promise.reject(closedError())
    const opening = new Promise<void>((resolve, reject) => {
      const status = { generation: 0, isDeleted: false, showsRefused: false }
      this.#open.set(document, { replica, ...status, isWanted, resolve, reject })
    })
    this.#hand({ type: "open", document })
    const settled = opening.catch(() => undefined)
    this.#openings.add(settled)
    void settled.then(() => this.#openings.delete(settled))
    return opening
  }

  detach(replica: Replica): void {
    const { document } = replica
    const open = this.#open.get(document)
    if (open?.replica !== replica) return
    this.#open.delete(document)
    open.reject(closedError())
    this.#hand({ type: "close", document })
  }

  hand(input: Parameters<DocumentDriver["hand"]>[0]): void {
    if (input.type === "local-update" || input.type === "local-presence") return this.#hand(input)
    if (input.type !== "refresh-token") this.#offline = input.type === "go-offline"
    const go = { type: "go", offline: this.#offline } as const
    this.#ask(input.type === "refresh-token" ? input : go).catch(() => undefined)
  }

  async saved(document: DocumentId, tier: Tier): Promise<void> {
    await this.#ask({ type: "saved", document, tier })
  }

  async documents(): Promise<readonly DocumentEntry[]> {
    // cast: the answer to this question, of this very version.
    return (await this.#ask({ type: "documents" })) as readonly DocumentEntry[]
  }

  async remove(document: DocumentId, discard: boolean, isOpen: () => boolean): Promise<void> {
    if (isOpen()) throw openError()
    await this.#ask({ type: "remove", document, discard })
  }

  dismiss(seq: number): void {
    if (!this.rejected.delete(seq)) return
    this.#ask({ type: "dismiss", seq }).catch(() => undefined)
  }

  /** Whoever leads has the last word: what it refuses stays where it is. */
  retry(seq: number): RetryOutcome {
    if (this.isClosed) throw closedError()
    const update = this.rejected.get(seq)
    if (update === undefined) return "gone"
    const { code, bytes } = update
    if (code === "document-deleted" || code === "invalid-update") return code
    if (bytes.length > limits.updateBytesMax) return "too-large"
    this.#ask({ type: "retry", seq }).catch(() => undefined)
    return "pending"
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.all(this.#openings)
    let reign: Reign | undefined
    do {
      await this.#settled()
      reign = this.#reign
      this.#core?.closing()
      await reign?.close()
      // Robbed meanwhile, it has to see to it that the next leader gets what it had.
    } while (reign !== this.#reign)
    const effects: TabEffect[] = []
    this.#core?.leave(effects)
    for (const effect of effects) this.#carryOut(effect)
    clearTimeout(this.#timer)
    this.#locks.end()
    this.#channel.close()
    for (const { reject } of this.#asks.values()) reject(closedError())
    for (const { replica } of this.#open.values()) replica.onClosed()
    this.#open.clear()
    this.connection.set({ state: "closed", why: { code: undefined, reason: "the app is done" } })
  }

  async #settled(): Promise<void> {
    while (this.#core?.isSettled !== true && this.pending.current.storageHealthy) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve
      })
    }
  }

  #start(first?: TabInput): void {
    const effects: TabEffect[] = []
    this.#core = new TabsCore(this.#tab, nowMs(), effects)
    for (const effect of effects) this.#carryOut(effect)
    if (first !== undefined) this.#inbox.unshift(first)
    this.#run()
  }

  #ask(question: Question): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(closedError())
    this.#lastAsk += 1
    const ask = this.#lastAsk
    const answering = new Promise<unknown>((resolve, reject) => {
      this.#asks.set(ask, { resolve, reject })
    })
    this.#hand({ type: "ask", ask, question })
    return answering
  }

  /** Takes an input now, or right after the one that is being worked on. */
  #hand(input: TabInput): void {
    this.#inbox.push(input)
    this.#run()
  }

  #run(): void {
    const core = this.#core
    if (core === undefined || this.#running) return
    this.#running = true
    try {
      for (let input = this.#inbox.shift(); input !== undefined; input = this.#inbox.shift()) {
        const effects: TabEffect[] = []
        core.step(input, nowMs(), effects)
        for (const effect of effects) this.#carryOut(effect)
      }
    } finally {
      this.#running = false
    }
    this.#setTimer(core)
    this.#onSettled?.()
  }

  #setTimer(core: TabsCore): void {
    clearTimeout(this.#timer)
    const next = core.nextDeadline()
    if (next === undefined) return
    const waitMs = Math.max(0, Math.ceil(next.atMs - nowMs()))
    this.#timer = setTimeout(() => this.#hand({ type: "deadline" }), waitMs)
  }

  #carryOut(effect: TabEffect): void {
    switch (effect.type) {
      case "post":
        return this.#post(effect.message)
      case "request":
        return this.#locks.request()
      case "steal":
        return this.#locks.steal()
      case "look":
        return this.#look()
      case "lead":
        return this.#lead(effect.how)
      case "step-down":
        this.#reign?.abandon()
        this.#reign = undefined
        return
      default:
        return this.#carryOutFor(effect)
    }
  }

  /** For this tab's app, or all tabs'. */
  #carryOutFor(effect: MemberEffect | LeaderEffect): void {
    switch (effect.type) {
      case "opened":
      case "refused":
      case "apply":
      case "presence":
      case "document-status":
        return this.#forDocument(effect)
      case "news":
        // cast: of this very version, as the channel's name says.
        return this.#onNews(effect.news as News)
      case "uncounted":
        this.#uncounted = effect.uncounted
        return this.#setPending()
      case "answered":
        // cast: as above.
        return this.#onAnswer(effect.ask, effect.answer as Answer)
      default:
        return this.#reign?.carryOut(effect)
    }
  }

  #post(message: TabMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    this.#channel.postMessage(message)
  }

  #look(): void {
    const looked = (holds: boolean): void => {
      this.#hand({ type: "looked", holds })
      this.#reign?.driver.run()
    }
    this.#locks.look().then(looked, () => looked(false))
  }

  #lead(how: LeadHow): void {
    const { storage } = this.#options
    if (how === "crowded") this.#locks.forgo()
    if (how === "stolen") storage?.takeOver?.()
    const options = { ...this.#options, storage: how === "crowded" ? crowdedStorage : storage }
    const reign = new Reign(options, this.#offline, {
      tell: (input) => this.#hand(input),
      post: (message) => this.#post(message),
      mayRun: () => this.#mayRun(),
      own: (document) => {
        const open = this.#open.get(document)
        return open?.isDeleted === true ? undefined : open
      },
      isAhead: (document) => this.#core?.isAhead(document) === true,
      hasFollowers: () => (this.#core?.followers ?? 0) > 0,
      watch: (tab, onGone) => this.#locks.watch(tab, onGone),
    })
    reign.driver.events.add((event) => this.events.call(event))
    this.#reign = reign
  }

  #mayRun(): boolean {
    if (this.#core?.hasLease(nowMs()) === true) return true
    this.#hand({ type: "lease-wanted" })
    return false
  }

  #forDocument(effect: Extract<MemberEffect, { readonly document: DocumentId }>): void {
    const open = this.#open.get(effect.document)
    if (open === undefined) return
    const { replica } = open
    switch (effect.type) {
      case "opened":
        if (open.isWanted()) return open.resolve()
        return this.detach(replica)
      case "refused":
        return open.reject(new SyncError("ERR_READ_FAILED", effect.message, true))
      case "apply":
        return guarded(() => replica.apply(effect.updates))
      case "presence":
        return replica.onPresence(effect.entries)
      case "document-status":
        open.generation = effect.status.generation
        open.isDeleted = effect.status.error?.code === "document-deleted"
        open.showsRefused ||= effect.status.error?.code === "update-rejected"
        return replica.onStatus(effect.status)
    }
  }

  #onNews(news: News): void {
    const { connection, pending, pendingDocuments, storage, offline, rejected, damaged } = news
    if (offline !== undefined) this.#offline = offline
    if (pendingDocuments !== undefined) this.#pendingDocuments = pendingDocuments
    if (pending !== undefined) this.#told = pending
    if (pending !== undefined) this.#setPending()
    if (storage !== undefined) this.storage.set(storage)
    if (connection !== undefined) this.connection.set(connection)
    if (rejected !== undefined) this.#onRejected(rejected)
    for (const record of damaged ?? []) this.#onDamage(record)
  }

  #setPending(): void {
    const { count, bytes, full, storageHealthy } = this.#told
    const more = this.#uncounted
    const { current } = this.pending
    const next = {
      count: count + more.count,
      bytes: bytes + more.bytes,
      full: full || more.full,
      storageHealthy,
    }
    const isSame = next.count === current.count && next.bytes === current.bytes
    const isAsWell = next.full === current.full && storageHealthy === current.storageHealthy
    if (!isSame || !isAsWell) this.pending.set(next)
  }

  #onRejected(rejected: readonly RejectedUpdate[]): void {
    const seqs = new Set(rejected.map(({ seq }) => seq))
    for (const seq of this.rejected.keys()) if (!seqs.has(seq)) this.rejected.delete(seq)
    for (const update of rejected) {
      if (this.rejected.has(update.seq)) continue
      this.rejected.set(update.seq, update)
      this.rejections.call(update)
    }
  }

  #onDamage(record: DamagedRecord): void {
    const text = JSON.stringify(record)
    if (this.damaged.some((known) => JSON.stringify(known) === text)) return
    this.damaged.push(record)
    this.damages.call(record)
  }

  #onAnswer(ask: number, answer: Answer): void {
    const asked = this.#asks.get(ask)
    this.#asks.delete(ask)
    if (answer.ok) asked?.resolve(answer.value)
    else asked?.reject(new SyncError(answer.code, answer.message, answer.retryable))
  }
}
