/**
 * A stock y-websocket client with a real Y.Doc: what the published 3.1 client does on the wire,
 * on virtual time. It has no storage and gets no acks; while its page lives it keeps what it wrote
 * and offers it again on every connection. Source: y-websocket `y-websocket.js`.
 */
import { assert, documentIdOf, partsOfDocumentId } from "@causeway/crdt/base"
import type { ConnectionId, DocumentId, Millis } from "@causeway/crdt/base"
import type { PresenceEntry } from "@causeway/crdt/protocol"
import {
  decodeYMessage,
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  encodeYUpdate,
} from "@causeway/crdt/protocol/stock"
import type { Build } from "./build.ts"
import type { ReplicaView } from "./checkers/client-view.ts"
import { EventLoop } from "./event-loop.ts"
import type { Network, SocketOwner } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { createReplica, LOOK_MS } from "./replica/replica.ts"
import type { Replica } from "./replica/replica.ts"
import type { Scheduler } from "./scheduler.ts"
import { StockAwareness } from "./stock-awareness.ts"
import type { Watch } from "./watch.ts"
import type { Workload } from "./workloads/index.ts"
import type { Restless, Session, SimWriter } from "./writer.ts"

const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 2500
const SILENT_MS = 30_000
const TICK_MS = 3000

export type StockClientWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly watch: Watch
  readonly workload: Workload
  readonly makeView: (document: DocumentId) => ReplicaView
}

/** What there is from one load of the page to the next. */
type Page = {
  readonly document: DocumentId
  readonly room: string
  readonly replica: Replica
  readonly view: ReplicaView
  readonly awareness: StockAwareness
  /** Whether somebody is to look at what was delivered. */
  looksSoon: boolean
}

export class SimStockClient implements SimWriter {
  readonly kind = "stock"
  readonly host: HostId
  readonly shares: readonly SimWriter[] = [this]
  readonly name: string
  readonly #world: StockClientWorld
  readonly #random: SimRandom
  #document: DocumentId
  /** Where it connects to. */
  #address: HostId
  #page: Page | undefined
  #socket: ConnectionId | undefined
  #synced = false
  #life = 0
  #failures = 0
  #heardMs: Millis = 0
  readonly #loop = new EventLoop()
  build: Build = "today"
  dials = 0

  constructor(
    host: HostId,
    name: string,
    room: string,
    node: HostId,
    world: StockClientWorld,
    random: SimRandom,
  ) {
    this.host = host
    this.name = name
    const document = documentIdOf("yjs", room)
    assert(document !== undefined, "a room is a document's name")
    this.#document = document
    this.#address = node
    this.#world = world
    this.#random = random
  }

  get running(): boolean {
    return this.#page !== undefined
  }

  get clock(): undefined {
    return undefined
  }

  get replicas(): readonly Replica[] {
    return this.#page === undefined ? [] : [this.#page.replica]
  }

  get node(): HostId | undefined {
    return this.#socket === undefined ? undefined : this.#address
  }

  get homes(): readonly HostId[] {
    return [this.#address]
  }

  /** Nobody tells it. */
  get peers(): undefined {
    return undefined
  }

  sessionOf(document: DocumentId): Session | undefined {
    if (this.#page?.document !== document) return undefined
    const { replica, view, awareness } = this.#page
    const { states: cursors } = awareness
    return { document, replica, view, cursors, current: this.#synced, status: undefined }
  }

  start(): void {
    this.#life += 1
    const document = this.#document
    const replica = createReplica(document, this.#random, this.#world.workload)
    const { nowMs } = this.#world.scheduler
    this.#page = {
      document,
      room: partsOfDocumentId(document).name,
      replica,
      view: this.#world.makeView(document),
      awareness: new StockAwareness(replica.presenceClient, nowMs),
      looksSoon: false,
    }
    this.#failures = 0
    this.dials = 0
    this.#connect(this.#page)
    this.#tickAfter(this.#page)
  }

  open(document: DocumentId): void {
    if (partsOfDocumentId(document).engine !== "yjs" || document === this.#document) return
    const { running } = this
    if (running) this.leave()
    this.#document = document
    if (running) this.start()
  }

  close(): void {}

  forget(): void {}

  /** The page is closed: a script in Node says so first, a browser's tab does not. */
  leave(): void {
    if (this.#page === undefined) return
    const { scheduler, network } = this.#world
    if (this.#random.chance(0.5)) this.#present(this.#page.awareness.leave(scheduler.nowMs))
    const dialling = this.#socket === undefined
    if (this.#socket !== undefined) network.close(this.#socket, 1001)
    this.#end()
    if (dialling) network.dropHost(this.host, false)
  }

  crash(): void {
    this.#end()
    this.#world.network.dropHost(this.host, this.#random.chance(0.3))
  }

  #end(): void {
    this.#life += 1
    this.#loop.drop()
    this.#page?.replica.close()
    this.#page = undefined
    this.#disconnected()
    this.#world.watch.onForgotten(this, "lost")
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
    if (this.#page === undefined || this.#loop.isPaused) return
    if (document !== undefined && document !== this.#page.document) return
    this.#wrote(this.#page, token, this.#page.replica.edit(random, token))
  }

  #wrote({ document, view }: Page, token: string, updates: readonly Uint8Array[]): void {
    for (const update of updates) {
      this.#world.watch.onWrite(this, document, token, update)
      view.add(update)
      this.#send(encodeYUpdate(update))
    }
  }

  writeTooMuch(): void {}

  present(random: SimRandom): void {
    const { scheduler } = this.#world
    if (this.#loop.isPaused) return
    const state = JSON.stringify({ cursor: random.int(0, 99) })
    this.#present(this.#page?.awareness.set(state, scheduler.nowMs) ?? [])
  }

  #present(entries: readonly PresenceEntry[]): void {
    if (entries.length > 0) this.#send(encodeYAwareness(entries))
  }

  disconnect(node?: HostId): void {
    if (this.#loop.isPaused) return
    if (this.#page !== undefined && this.#socket !== undefined) this.#hangUp(this.#page)
    this.#address = node ?? this.#address
  }

  reopen(): void {
    this.disconnect()
  }

  unrest(): Restless | undefined {
    if (this.#page === undefined) return { cause: "clients", why: "not running" }
    return this.#synced ? undefined : { cause: "clients", why: "not synced" }
  }

  #guard<Values extends readonly unknown[]>(
    run: (...values: Values) => void,
  ): (...values: Values) => void {
    const life = this.#life
    return (...values) => {
      if (life !== this.#life) return
      if (!this.#loop.isPaused) return run(...values)
      this.#loop.run(() => {
        if (life === this.#life) run(...values)
      })
    }
  }

  #send(frame: Uint8Array): void {
    if (this.#socket !== undefined) this.#world.network.send(this.#socket, frame)
  }

  #connect(page: Page): void {
    this.dials += 1
    const to = this.#address
    const owner: SocketOwner = {
      onFrame: this.#guard((connection: ConnectionId, frame: Uint8Array) => {
        if (connection === this.#socket) this.#onFrame(page, frame)
      }),
      onClosed: this.#guard((connection: ConnectionId, code: number) => {
        if (connection === this.#socket) this.#onClosed(page, code)
      }),
    }
    const opened = this.#guard((connection: ConnectionId | undefined) => {
      if (connection === undefined) return this.#retry(page)
      this.#socket = connection
      this.#heardMs = this.#world.scheduler.nowMs
      this.#world.watch.onConnected(this, to)
      this.#send(encodeYStep1(page.replica.summary()))
      this.#present(page.awareness.own())
    })
    const door = { type: "y-websocket", room: page.room } as const
    this.#world.network.dial(this.host, to, door, owner, (result) => opened(result?.connection))
  }

  #retry(page: Page): void {
    this.#failures += 1
    const delayMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#failures)
    this.#world.scheduler.after(
      delayMs,
      this.#guard(() => this.#connect(page)),
    )
  }

  /** This side ends the connection, and does not wait for the other's answer. */
  #hangUp(page: Page): void {
    if (this.#socket !== undefined) this.#world.network.close(this.#socket, 1000)
    this.#disconnected()
    page.awareness.forgetOthers()
    this.#retry(page)
  }

  #onClosed(page: Page, code: number): void {
    this.#disconnected()
    page.awareness.forgetOthers()
    if (code >= 4400 && code < 4500) return this.#world.watch.onRefused(this, code)
    this.#retry(page)
  }

  #disconnected(): void {
    const connected = this.#socket !== undefined
    this.#socket = undefined
    this.#synced = false
    if (connected) this.#world.watch.onConnected(this, undefined)
  }

  #onFrame(page: Page, frame: Uint8Array): void {
    const { nowMs } = this.#world.scheduler
    this.#heardMs = nowMs
    const message = decodeYMessage(frame)
    switch (message.type) {
      case "step1":
        return this.#send(encodeYStep2(page.replica.difference(message.summary)))
      case "step2":
        this.#apply(page, message.update)
        this.#synced = true
        this.#failures = 0
        return
      case "update":
        return this.#apply(page, message.update)
      case "awareness":
        return this.#present(page.awareness.apply(message.entries, nowMs))
      case "query-awareness":
        return
    }
  }

  #apply(page: Page, update: Uint8Array): void {
    page.view.add(update)
    const own = page.replica.apply([update])
    this.#world.watch.onDelivered(this, page.document, [update])
    this.#wrote(page, "tidied", own)
    if (page.looksSoon) return
    page.looksSoon = true
    this.#world.scheduler.after(
      LOOK_MS,
      this.#guard(() => {
        page.looksSoon = false
        if (this.#page === page) this.#wrote(page, "tidied", page.replica.look())
      }),
    )
  }

  /** The published client's two timers, which start together: the watchdog and its awareness'. */
  #tickAfter(page: Page): void {
    this.#world.scheduler.after(
      TICK_MS,
      this.#guard(() => {
        const { nowMs } = this.#world.scheduler
        for (const entries of page.awareness.tick(nowMs)) this.#present(entries)
        if (this.#socket !== undefined && nowMs - this.#heardMs > SILENT_MS) this.#hangUp(page)
        this.#tickAfter(page)
      }),
    )
  }
}
