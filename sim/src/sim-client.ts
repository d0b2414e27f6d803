/**
 * Drives one real client core with real replicas on virtual time: what the SDK's driver does,
 * with a ClientDisk for storage. A crash drops core, replicas and socket; its storage may survive,
 * and then the next start shows and resends what was in the outbox.
 */
import { assert, parseClientId, partsOfDocumentId, utf8Encode } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { ClientCore } from "@causeway/crdt/client"
import type { ClientEffect, ClientInput, HigherTier } from "@causeway/crdt/client"
import type { ClientStorage, DocumentReadResult, LoadResult } from "@causeway/crdt/ports"
import type { RejectedUpdate, StoredUpdate } from "@causeway/crdt/ports"
import type { PeerFreshness } from "@causeway/crdt/protocol"
import { Alarm } from "./alarm.ts"
import { answerTo, REJECTED_MS, resumeOf, tiersOf, tooMuch } from "./app-habits.ts"
import { asTomorrow } from "./build.ts"
import type { Build } from "./build.ts"
import { optionsOf } from "./client-world.ts"
import type { ClientDisk } from "./client-disk.ts"
import { ClientSockets } from "./client-sockets.ts"
import type { ClientSetup, ClientWorld } from "./client-world.ts"
import { HostClock } from "./clock.ts"
import { EventLoop } from "./event-loop.ts"
import { OpenDocument } from "./open-document.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { createReplica, LOOK_MS } from "./replica/replica.ts"
import type { Replica } from "./replica/replica.ts"
import { WatchClaims } from "./watch-claims.ts"
import { unrestOf } from "./writer.ts"
import type { Restless, Session, SimWriter } from "./writer.ts"

/** How often a document that storage has is opened by its resume point, not by what it holds. */
const STATES_VECTOR = 0.8

export class SimClient implements SimWriter {
  readonly kind = "native"
  readonly host: HostId
  readonly shares: readonly SimWriter[] = [this]
  readonly name: string
  readonly #setup: ClientSetup
  readonly #world: ClientWorld
  readonly #disk: ClientDisk
  readonly #random: SimRandom
  readonly clock: HostClock
  build: Build = "today"
  dials = 0
  readonly #loop = new EventLoop()
  /** What its app waits for, from its start on. */
  readonly #tiers: readonly HigherTier[]
  /** What its user has open, also while it is not running. */
  readonly #wanted: Set<DocumentId>
  readonly #open = new Map<DocumentId, OpenDocument>()
  readonly #claims = new WatchClaims(this.#open)
  /** Being read from storage. */
  readonly #opening = new Set<DocumentId>()
  #storage: ClientStorage | undefined
  #core: ClientCore | undefined
  #sockets: ClientSockets | undefined
  #alarm: Alarm | undefined
  #inputs: ClientInput[] = []
  #stepping = false
  #leaving = false
  /** Once it has left. */
  #returns = false
  #life = 0

  constructor(setup: ClientSetup, world: ClientWorld, disk: ClientDisk, random: SimRandom) {
    this.host = setup.host
    this.name = setup.name
    this.#setup = setup
    this.#world = world
    this.#disk = disk
    this.#random = random
    this.#wanted = new Set(setup.documents)
    this.#tiers = tiersOf(random.split("tiers"))
    this.clock = new HostClock(world.scheduler, random.between(-5000, 5000))
  }

  get running(): boolean {
    return this.#core !== undefined
  }

  get replicas(): readonly Replica[] {
    return [...this.#open.values()].map(({ replica }) => replica)
  }

  get node(): HostId | undefined {
    return this.#sockets?.node
  }

  get homes(): readonly HostId[] {
    return this.#setup.urls.map(this.#world.hostOf).filter((host) => host !== undefined)
  }

  get peers(): readonly PeerFreshness[] | undefined {
    const connection = this.#core?.connection
    return connection?.state === "connected" ? connection.peers : undefined
  }

  sessionOf(document: DocumentId): Session | undefined {
    return this.#open.get(document)
  }

  start(): void {
    this.#returns = this.#leaving
    if (this.running) return
    this.#life += 1
    this.dials = 0
    this.#storage = this.#disk.open()
    const fresh = parseClientId(this.#random.hex(32))
    assert(fresh !== undefined, "a client id is 32 hex digits")
    const loaded = this.#guard((result: LoadResult) => this.#loaded(result))
    this.#storage.load(fresh, loaded)
  }

  #loaded(result: LoadResult): void {
    assert(result.ok, "the simulated storage loads")
    const { stored } = result
    const random = this.#random.split(`life ${this.#life}`)
    const { network, watch, hostOf } = this.#world
    this.#sockets = new ClientSockets(this.host, {
      network,
      hostOf,
      onInput: (input) => this.#input(input),
      onConnected: (node) => watch.onConnected(this, node),
      onRefused: (code) => watch.onRefused(this, code),
    })
    this.#core = new ClientCore({ stored, ...optionsOf(random, this.#setup, this.#world) })
    const ring = this.#guard(() => this.#input({ type: "deadline" }))
    this.#alarm = new Alarm(this.clock, ring)
    for (const document of this.#wanted) this.#openNow(document)
    for (const update of stored.rejected) this.#onRejected(update)
    for (const tier of this.#tiers) this.#input({ type: "want-tier", tier })
    this.#input({ type: "go-online" })
  }

  open(document: DocumentId): void {
    this.#wanted.add(document)
    if (this.#core !== undefined && !this.#leaving) this.#openNow(document)
  }

  #openNow(document: DocumentId): void {
    if (this.#open.has(document) || this.#opening.has(document)) return
    this.#opening.add(document)
    const opened = (result: DocumentReadResult): void => this.#opened(document, result)
    this.#storage?.read(document, this.#guard(opened))
  }

  /** As the SDK: with what storage has of it, and what is pending. */
  #opened(document: DocumentId, result: DocumentReadResult): void {
    if (this.#loop.isPaused) return this.#loop.run(() => this.#opened(document, result))
    this.#opening.delete(document)
    if (this.#core === undefined || this.#leaving || !this.#wanted.has(document)) return
    const { generation, stored, pending, resume } = this.#core.opening(document, result)
    const replica = createReplica(document, this.#random, this.#world.workload)
    const open = new OpenDocument(replica, this.#world.makeView(document))
    this.#open.set(document, open)
    const own = open.begin([...stored, ...pending], resume)
    const isVector = resume !== undefined && this.#random.chance(STATES_VECTOR)
    const point = isVector
      ? ({ type: "vector", vector: resume } as const)
      : resumeOf(replica, this.#random)
    this.#input({ type: "open-document", document, generation, resume: point, stored })
    this.#wrote(open, "tidied", own)
    this.#lookSoon(open)
  }

  #lookSoon(open: OpenDocument): void {
    if (open.looksSoon) return
    open.looksSoon = true
    this.#later(LOOK_MS, () => {
      open.looksSoon = false
      if (this.#open.get(open.document) !== open) return
      this.#wrote(open, "tidied", open.replica.look())
    })
  }

  close(document: DocumentId): void {
    this.#wanted.delete(document)
    const open = this.#open.get(document)
    if (open === undefined) return
    this.#open.delete(document)
    open.replica.close()
    this.#input({ type: "close-document", document })
    this.#world.watch.onLetGo(this, document)
  }

  forget(document: DocumentId, discards: boolean): void {
    const owed = this.#core?.owedOf(document)
    const voids = (owed?.pending ?? 0) > 0 ? this.#core?.client : undefined
    if (discards) this.#world.watch.onDiscarded(this, document, voids)
    else if (owed?.pending !== 0 || owed.rejected > 0) return
    this.#input({ type: "remove-document", document })
  }

  leave(): void {
    this.#leaving = this.#core !== undefined
    this.#loop.run(() => this.#leaveOnceStored())
  }

  /** As the SDK: what was typed is in storage first, if that works at all. */
  #leaveOnceStored(): void {
    const core = this.#core
    if (!this.#leaving || core === undefined) return
    if (core.storing && core.pending.storageHealthy) return
    const dialling = this.#sockets?.dialling === true
    this.#leaving = false
    this.#input({ type: "stop" })
    this.#end("kept")
    if (dialling) this.#world.network.dropHost(this.host, false)
    if (this.#returns) this.start()
  }

  crash(storage: "kept" | "lost"): void {
    this.#end(storage)
    this.#world.network.dropHost(this.host, this.#random.chance(0.3))
  }

  #end(storage: "kept" | "lost"): void {
    this.#life += 1
    this.#loop.drop()
    this.#leaving = false
    this.#alarm?.stop()
    this.#core = undefined
    this.#sockets?.end()
    this.#inputs = []
    for (const { replica } of this.#open.values()) replica.close()
    this.#open.clear()
    this.#opening.clear()
    this.#disk.crash()
    if (storage === "lost") this.#disk.wipe()
    this.#world.watch.onForgotten(this, storage)
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
    if (this.#isStill || this.#leaving || this.#open.size === 0) return
    const open =
      document === undefined ? random.pick([...this.#open.values()]) : this.#open.get(document)
    if (open !== undefined) this.#wrote(open, token, open.replica.edit(random, token))
  }

  writeTooMuch(random: SimRandom): void {
    const yjs = [...this.#open.keys()].filter((id) => partsOfDocumentId(id).engine === "yjs")
    if (this.#core === undefined || this.#leaving || yjs.length === 0) return
    this.#input({ type: "local-update", document: random.pick(yjs), bytes: tooMuch })
  }

  /** The app looks at it some time, perhaps only in its next life. */
  #onRejected(update: RejectedUpdate): void {
    const { seq, document, bytes } = update
    const act = () => {
      const answer = answerTo(update, this.#random)
      if (answer === "retry") return this.#input({ type: "retry-rejected", seq })
      if (answer === "leave" || (answer === "reopen" && this.#leaving)) return
      if (answer === "reopen") {
        this.close(document)
        return this.open(document)
      }
      this.#input({ type: "dismiss-rejected", seq })
      if (answer === "write-anew") this.#input({ type: "local-update", document, bytes })
    }
    this.#later(this.#random.exponential(REJECTED_MS), act)
  }

  /** Updates that the replica has already. */
  #wrote({ document, view }: OpenDocument, token: string, updates: readonly Uint8Array[]): void {
    for (const bytes of updates) {
      this.#world.watch.onWrite(this, document, token, bytes)
      view.add(bytes)
      this.#input({ type: "local-update", document, bytes })
    }
  }

  /** Nobody does anything there now. */
  get #isStill(): boolean {
    return this.#core === undefined || this.#loop.isPaused
  }

  present(random: SimRandom): void {
    if (this.#isStill || this.#open.size === 0) return
    const open = random.pick([...this.#open.values()])
    this.#present(open, JSON.stringify({ cursor: random.int(0, 99) }))
  }

  #present(open: OpenDocument, json: string): void {
    open.present(json)
    const { document, replica } = open
    const state = utf8Encode(json)
    this.#input({ type: "local-presence", document, client: replica.presenceClient, state })
  }

  disconnect(): void {
    if (this.#isStill) return
    if (!this.#random.chance(0.5)) return this.#sockets?.cut()
    this.#input({ type: "go-offline" })
    this.#later(this.#random.exponential(2000), () => this.#input({ type: "go-online" }))
  }

  reopen(random: SimRandom, afterMs: Millis): void {
    if (this.#core === undefined || this.#isStill || this.#open.size === 0) return
    const open = random.pick([...this.#open.values()])
    const { document, replica } = open
    const vector = this.#core.resumeOf(document)
    const generation = open.status?.generation ?? 0
    open.onClosed()
    this.#input({ type: "close-document", document })
    this.#later(afterMs, () => {
      // Its user may have let go of it for good, or opened it anew.
      if (this.#open.get(document) !== open) return
      const known = vector !== undefined && this.#random.chance(0.5)
      const resume = known ? ({ type: "vector", vector } as const) : resumeOf(replica, this.#random)
      open.held = true
      this.#input({ type: "open-document", document, generation, resume })
      if (open.ownCursor !== undefined) this.#present(open, open.ownCursor)
    })
  }

  unrest(): Restless | undefined {
    return unrestOf(this.#core)
  }

  #later(afterMs: Millis, run: () => void): void {
    this.#world.scheduler.after(afterMs, this.#guard(run))
  }

  #answer(): (input: ClientInput) => void {
    return this.#guard((input: ClientInput) => this.#input(input))
  }

  #guard<Values extends readonly unknown[]>(
    run: (...values: Values) => void,
  ): (...values: Values) => void {
    const life = this.#life
    return (...values) => {
      if (life === this.#life) run(...values)
    }
  }

  #input(input: ClientInput): void {
    if (this.#loop.isPaused) return this.#loop.run(() => this.#input(input))
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const effects: ClientEffect[] = []
        this.#core?.step(next, this.clock.nowMs, effects)
        for (const effect of effects) this.#perform(effect)
        this.#claims.onTaken(next)
      }
    } finally {
      this.#stepping = false
    }
    this.#alarm?.want(this.#core?.nextDeadline()?.atMs)
    this.#leaveOnceStored()
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        this.dials += 1
        return this.#sockets?.connect(effect.socket, effect.url)
      case "send":
        return this.#send(effect)
      case "disconnect":
        return this.#sockets?.disconnect(effect.socket, effect.code)
      case "store":
        return this.#store(effect)
      case "fetch-token":
        // It may fail, and makes waits longer then.
        this.dials += 1
        return this.#world.tokens?.fetch(this.name, this.#answer())
      case "deliver":
        return this.#deliver(effect)
      case "resume":
        return this.#open.get(effect.document)?.view.onResume(effect.resume)
      case "retried":
        return this.#retried(effect.update)
      case "node-summary":
        return this.#compare(effect)
      case "compact":
        return this.#compact(effect.document)
      default:
        return this.#show(effect)
    }
  }

  #send({ socket, frame }: Extract<ClientEffect, { type: "send" }>): void {
    const said = this.build === "today" ? frame : asTomorrow({ type: "native" }, frame)
    this.#sockets?.send(socket, this.#claims.checked(said))
  }

  /** What a real driver tells its app. */
  #show(effect: ClientEffect): void {
    if (effect.type === "presence") {
      const open = this.#open.get(effect.document)
      if (open?.held === true) open.onPresence(effect.entries)
    }
    if (effect.type === "rejected") this.#onRejected(effect.update)
    if (effect.type === "document-status") {
      const open = this.#open.get(effect.document)
      if (open !== undefined) open.status = effect.status
    }
  }

  #store({ writes }: Extract<ClientEffect, { type: "store" }>): void {
    const done = this.#answer()
    this.#storage?.write(writes, (result) => done({ type: "stored", result }))
  }

  #deliver({ document, updates, resume }: Extract<ClientEffect, { type: "deliver" }>): void {
    const open = this.#open.get(document)
    if (open === undefined) return
    for (const update of updates) open.view.add(update)
    const own = open.replica.apply(updates)
    this.#world.watch.onDelivered(this, document, updates)
    open.view.onResume(resume)
    this.#wrote(open, "tidied", own)
    this.#lookSoon(open)
  }

  #retried({ document, bytes }: StoredUpdate): void {
    const open = this.#open.get(document)
    if (open === undefined) return
    open.view.add(bytes)
    this.#wrote(open, "tidied", open.replica.apply([bytes]))
    this.#lookSoon(open)
  }

  #compact(document: DocumentId): void {
    const open = this.#open.get(document)
    if (open === undefined) return
    const state = open.replica.state()
    const own = open.replica.look()
    if (own.length > 0) return this.#wrote(open, "tidied", own)
    this.#inputs.push({ type: "compacted", document, state })
  }

  /** The node lacks something that this replica got elsewhere: it is sent along. */
  #compare(effect: Extract<ClientEffect, { type: "node-summary" }>): void {
    const { document, summary, outgoing } = effect
    const open = this.#open.get(document)
    if (open === undefined) return
    const engine = this.#setup.engines[partsOfDocumentId(document).engine]
    const bytes = open.lacking(engine, summary, outgoing)
    if (bytes === undefined) return
    open.view.add(bytes)
    this.#inputs.push({ type: "difference", document, bytes })
  }
}
