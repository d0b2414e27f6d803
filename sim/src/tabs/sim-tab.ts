/**
 * One tab of a browser that shares a client with the others, as the SDK's `TabsDriver` and an app
 * on it: real replicas, the real protocol between tabs, and, while it leads, the real client core.
 * Rules [H1]–[H10].
 */
import { InvariantError, partsOfDocumentId, utf8Encode } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { ConnectionStatus, HigherTier, PendingStatus } from "@causeway/crdt/client"
import { TabsCore } from "@causeway/crdt/client/tabs"
import type { LeaderEffect, MemberEffect, TabEffect, TabInput } from "@causeway/crdt/client/tabs"
import type { PeerFreshness } from "@causeway/crdt/protocol"
import { Alarm } from "../alarm.ts"
import { tiersOf, tooMuch } from "../app-habits.ts"
import type { Build } from "../build.ts"
import type { ClientDisk } from "../client-disk.ts"
import type { ClientSetup, ClientWorld } from "../client-world.ts"
import { HostClock } from "../clock.ts"
import { EventLoop } from "../event-loop.ts"
import type { OpenDocument } from "../open-document.ts"
import type { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import { LOOK_MS } from "../replica/replica.ts"
import type { Replica } from "../replica/replica.ts"
import { unrestOf } from "../writer.ts"
import type { Restless, Session, SimWriter } from "../writer.ts"
import type { Browser, Page } from "./browser.ts"
import { openDocument, SimFooting } from "./footing.ts"
import { Reign } from "./reign.ts"
import { Asks } from "./saves.ts"

/** How often an app waits for what was just typed to be saved. */
const ASKS = 0.1

type Shown = { readonly open: OpenDocument; readonly footing: SimFooting; isReady: boolean }
type News = { readonly connection?: ConnectionStatus; readonly pending?: PendingStatus }

export class SimTab implements SimWriter {
  readonly kind = "native"
  readonly host: HostId
  readonly name: string
  readonly clock: HostClock
  readonly shares: readonly SimWriter[]
  readonly disk: ClientDisk
  build: Build = "today"
  /** How often its lead was taken from it. */
  robberies = 0
  readonly #setup: ClientSetup
  readonly #world: ClientWorld
  readonly #browser: Browser
  readonly #random: SimRandom
  readonly #asking: SimRandom
  readonly #loop = new EventLoop()
  readonly #tiers: readonly HigherTier[]
  /** What its user has open, also while it is not running. */
  readonly #wanted: Set<DocumentId>
  readonly #shown = new Map<DocumentId, Shown>()
  #page: Page | undefined
  #core: TabsCore | undefined
  #reign: Reign | undefined
  #alarm: Alarm | undefined
  #inbox: TabInput[] = []
  #stepping = false
  #leaving = false
  /** Once it has left. */
  #returns = false
  #news: News = {}
  #writes = 0
  readonly #asks = new Asks()
  #life = 0

  constructor(setup: ClientSetup, world: ClientWorld, browser: Browser, random: SimRandom) {
    this.host = setup.host
    this.name = setup.name
    this.#setup = setup
    this.#world = world
    this.#browser = browser
    this.#random = random
    this.#asking = random.split("asks")
    this.#wanted = new Set(setup.documents)
    this.#tiers = tiersOf(random.split("tiers"))
    this.clock = new HostClock(world.scheduler, random.between(-5000, 5000))
    browser.tabs.push(this)
    this.shares = browser.tabs
    this.disk = browser.disk
  }

  get running(): boolean {
    return this.#core !== undefined
  }

  get leads(): boolean {
    return this.#reign !== undefined
  }

  get replicas(): readonly Replica[] {
    return [...this.#shown.values()]
      .filter(({ isReady }) => isReady)
      .map(({ open }) => open.replica)
  }

  get node(): HostId | undefined {
    return this.#reign?.node
  }

  get homes(): readonly HostId[] {
    return this.#setup.urls.map(this.#world.hostOf).filter((host) => host !== undefined)
  }

  get dials(): number {
    return this.#reign?.dials ?? 0
  }

  get peers(): readonly PeerFreshness[] | undefined {
    const { connection } = this.#news
    return connection?.state === "connected" ? connection.peers : undefined
  }

  sessionOf(document: DocumentId): Session | undefined {
    const shown = this.#shown.get(document)
    return shown?.isReady === true ? shown.open : undefined
  }

  start(): void {
    this.#returns = this.#leaving
    if (this.running) return
    this.#life += 1
    const ring = this.#guard(() => this.#hand({ type: "deadline" }))
    this.#alarm = new Alarm(this.clock, ring)
    const id = this.#random.hex(16)
    this.#page = { id, take: (input) => this.#hand(input) }
    this.#browser.enter(this.#page)
    const effects: TabEffect[] = []
    this.#core = new TabsCore(id, this.clock.nowMs, effects)
    for (const effect of effects) this.#perform(effect)
    this.#hand({ type: "deadline" })
    for (const document of this.#wanted) this.#openNow(document)
  }

  open(document: DocumentId): void {
    this.#wanted.add(document)
    if (this.#core !== undefined && !this.#leaving) this.#openNow(document)
  }

  #openNow(document: DocumentId): void {
    if (this.#shown.has(document)) return
    const open = openDocument(document, this.#random, this.#world)
    const footing = new SimFooting(open, (updates) => this.#take(open, updates))
    this.#shown.set(document, { open, footing, isReady: false })
    this.#hand({ type: "open", document })
  }

  close(document: DocumentId): void {
    this.#wanted.delete(document)
    const shown = this.#shown.get(document)
    if (shown === undefined) return
    this.#shown.delete(document)
    // Who leads lets go of it when it has another.
    if (this.#reign?.standsOn(shown.footing) !== true) shown.open.replica.close()
    this.#hand({ type: "close", document })
    this.#world.watch.onLetGo(this, document)
  }

  /** Only what no tab has open, and all of which is with nodes. */
  forget(document: DocumentId): void {
    const owed = this.#reign?.core?.owedOf(document)
    if (owed?.pending !== 0 || owed.rejected > 0 || this.#reign?.holds(document) === true) return
    this.#reign?.hand({ type: "remove-document", document })
  }

  leave(): void {
    this.#leaving = this.#core !== undefined
    this.#loop.run(() => this.#leaveOnceSettled())
  }

  #leaveOnceSettled(): void {
    const core = this.#core
    if (!this.#leaving || core === undefined || this.#stepping || !this.#mayLeave(core)) return
    this.#leaving = false
    const dialling = this.#reign?.dialling === true
    this.#reign?.end("left")
    this.#reign = undefined
    // What was typed is safe, and so it is still promised.
    const isSafe = this.#isHealthy
    const effects: TabEffect[] = []
    core.leave(effects)
    for (const effect of effects) this.#perform(effect)
    this.#end()
    if (!isSafe) this.#world.watch.onForgotten(this, "kept")
    if (dialling) this.#world.network.dropHost(this.host, false)
    if (this.#returns) this.start()
  }

  get #isHealthy(): boolean {
    return this.#news.pending?.storageHealthy !== false
  }

  /** As the SDK: once what was typed here is in storage, if that works at all. */
  #mayLeave(core: TabsCore): boolean {
    if (!core.isSettled && this.#isHealthy) return false
    core.closing()
    const client = this.#reign?.core
    if (client === undefined) return !this.leads
    return !client.storing || !client.pending.storageHealthy
  }

  crash(storage: "kept" | "lost"): void {
    if (storage === "lost") {
      // Who clears what a site has stored closes its tabs.
      for (const tab of this.#browser.tabs) if (tab !== this && tab.running) tab.crash("kept")
    }
    this.#reign?.end("crashed")
    this.#reign = undefined
    this.#end()
    if (storage === "lost") this.#browser.disk.wipe()
    for (const tab of storage === "lost" ? this.#browser.tabs : [this]) {
      this.#world.watch.onForgotten(tab, storage)
    }
    this.#world.network.dropHost(this.host, this.#random.chance(0.3))
  }

  #end(): void {
    this.#life += 1
    this.#loop.drop()
    this.#leaving = false
    this.#alarm?.stop()
    this.#core = undefined
    this.#inbox = []
    this.#news = {}
    this.#asks.clear()
    for (const { open } of this.#shown.values()) open.replica.close()
    this.#shown.clear()
    if (this.#page !== undefined) this.#browser.leave(this.#page)
    this.#page = undefined
  }

  get isPaused(): boolean {
    return this.#loop.isPaused
  }

  pause(untilMs: Millis): void {
    this.#loop.pause()
    this.#world.network.freeze(this.host, untilMs)
  }

  resume(): void {
    this.#world.network.thaw(this.host)
    this.#loop.resume()
  }

  write(random: SimRandom, token: string, document?: DocumentId): void {
    const { replicas } = this
    if (this.#isStill || this.#leaving || replicas.length === 0) return
    const open = this.#shown.get(document ?? random.pick(replicas).document)
    if (open?.isReady !== true) return
    this.#wrote(open.open, token, open.open.replica.edit(random, token))
    if (this.#asking.chance(ASKS)) this.#ask(open.open.document)
  }

  /** The app waits until what was typed there is saved. */
  #ask(document: DocumentId): void {
    const question = { document, tier: this.#asking.pick(["local", "node"] as const) }
    this.#hand({ type: "ask", ask: this.#asks.add(question, this.#writes), question })
  }

  #onAnswered(ask: number, isSaved: boolean): void {
    const asked = this.#asks.take(ask)
    if (asked === undefined || !isSaved) return
    this.#world.watch.onSaved(this, asked.document, asked.tier, asked.writes)
  }

  writeTooMuch(random: SimRandom): void {
    const yjs = this.replicas.filter(({ document }) => partsOfDocumentId(document).engine === "yjs")
    if (this.#isStill || this.#leaving || yjs.length === 0) return
    this.#hand({ type: "local-update", document: random.pick(yjs).document, bytes: tooMuch })
  }

  /** Updates that the replica has already. */
  #wrote({ document, view }: OpenDocument, token: string, updates: readonly Uint8Array[]): void {
    for (const bytes of updates) {
      this.#writes += 1
      this.#world.watch.onWrite(this, document, token, bytes)
      view.add(bytes)
      this.#hand({ type: "local-update", document, bytes })
    }
  }

  /** From other tabs, nodes or storage. */
  #take(open: OpenDocument, updates: readonly Uint8Array[]): void {
    for (const update of updates) open.view.add(update)
    const own = updates.length > 0 ? open.replica.apply(updates) : open.replica.look()
    this.#wrote(open, "tidied", own)
    if (open.looksSoon || updates.length === 0) return
    open.looksSoon = true
    this.#world.scheduler.after(
      LOOK_MS,
      this.#guard(() => {
        open.looksSoon = false
        if (this.#shown.get(open.document)?.open === open) this.#take(open, [])
      }),
    )
  }

  /** Nobody does anything there now. */
  get #isStill(): boolean {
    return this.#core === undefined || this.#loop.isPaused
  }

  present(random: SimRandom): void {
    const { replicas } = this
    if (this.#isStill || replicas.length === 0) return
    const { document, presenceClient: client } = random.pick(replicas)
    const json = JSON.stringify({ cursor: random.int(0, 99) })
    this.#shown.get(document)?.open.present(json)
    this.#hand({ type: "local-presence", document, client, state: utf8Encode(json) })
  }

  disconnect(): void {
    if (!this.#isStill) this.#reign?.disconnect()
  }

  reopen(random: SimRandom, afterMs: Millis): void {
    const { replicas } = this
    if (this.#isStill || this.#leaving || replicas.length === 0) return
    const { document } = random.pick(replicas)
    this.close(document)
    this.#wanted.add(document)
    this.#world.scheduler.after(
      afterMs,
      this.#guard(() => {
        if (this.#wanted.has(document)) this.open(document)
      }),
    )
  }

  unrest(): Restless | undefined {
    const core = this.#core
    if (this.#reign !== undefined) return unrestOf(this.#reign.core)
    if (core === undefined) return { cause: "clients", why: "not running" }
    const { connection, pending } = this.#news
    if (connection?.state !== "connected") return { cause: "clients", why: "follows nobody" }
    const count = core.uncounted.count + (pending?.count ?? 0)
    return count === 0 ? undefined : { cause: "updates", why: `${count} updates pending` }
  }

  #guard(run: () => void): () => void {
    const life = this.#life
    return () => {
      if (life === this.#life) run()
    }
  }

  /** Takes an input now, or right after the one that is being worked on. */
  #hand(input: TabInput): void {
    if (this.#loop.isPaused) return this.#loop.run(() => this.#hand(input))
    this.#inbox.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        const effects: TabEffect[] = []
        this.#core?.step(next, this.clock.nowMs, effects)
        for (const effect of effects) this.#perform(effect)
        if (next.type === "looked") this.#reign?.run()
      }
    } finally {
      this.#stepping = false
    }
    this.#alarm?.want(this.#core?.nextDeadline()?.atMs)
    this.#leaveOnceSettled()
  }

  #perform(effect: TabEffect): void {
    const page = this.#page
    if (page === undefined) return
    switch (effect.type) {
      case "post":
        return this.#browser.post(page, effect.message)
      case "request":
        return this.#browser.request(page)
      case "steal":
        return this.#browser.steal(page)
      case "look":
        return this.#browser.look(page)
      case "lead":
        this.#reign = this.#newReign(page)
        return
      case "step-down":
        this.robberies += 1
        this.#reign?.end("robbed")
        this.#reign = undefined
        return
      default:
        return this.#performFor(effect)
    }
  }

  /** For this tab's app, or all tabs'. */
  #performFor(effect: MemberEffect | LeaderEffect): void {
    switch (effect.type) {
      case "opened":
      case "refused":
      case "apply":
      case "presence":
      case "document-status":
        return this.#forDocument(effect)
      case "news":
        // cast: a reign's.
        this.#news = effect.news as News
        return
      case "answered":
        return this.#onAnswered(effect.ask, effect.answer === true)
      case "uncounted":
        return
      default:
        return this.#reign?.carryOut(effect)
    }
  }

  #forDocument(effect: Extract<MemberEffect, { readonly document: DocumentId }>): void {
    const shown = this.#shown.get(effect.document)
    if (shown === undefined) return
    switch (effect.type) {
      case "opened":
        shown.isReady = true
        return
      case "apply":
        return this.#take(shown.open, effect.updates)
      case "presence":
        return shown.open.onPresence(effect.entries)
      case "document-status":
        shown.open.status = effect.status
        return
      case "refused":
        // Storage that fails to read is nobody's refusal ([C11]).
        throw new InvariantError(`${effect.document} was refused: ${effect.message}`)
    }
  }

  #newReign(page: Page): Reign {
    const [browser, life] = [this.#browser, this.#life]
    return new Reign({
      writer: this,
      setup: this.#setup,
      world: this.#world,
      storage: browser.disk.open(),
      random: this.#random,
      tiers: this.#tiers,
      mayRun: () => {
        if (this.#core?.hasLease(this.clock.nowMs) === true) return true
        this.#hand({ type: "lease-wanted" })
        return false
      },
      tell: (input) => this.#hand(input),
      post: (message) => browser.post(page, message),
      own: (document) => this.#shown.get(document)?.footing,
      isAhead: (document) => this.#core?.isAhead(document) === true,
      watch: (tab, onGone) => browser.watch(tab, page, onGone),
      guard: (run) => {
        this.#loop.run(() => {
          if (life === this.#life) run()
        })
      },
    })
  }
}
