/**
 * A stock y-websocket client with a real Y.Doc: what the published 3.1 client does on the wire,
 * on virtual time. It has no storage and gets no acks; while it lives it keeps what it wrote and
 * offers it again on every connection.
 */
import { documentIdOf, assert } from "@causeway/crdt/base"
import type { ConnectionId, DocumentId, Millis } from "@causeway/crdt/base"
import { mayRetry } from "@causeway/crdt/protocol"
import {
  decodeYMessage,
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  encodeYUpdate,
} from "@causeway/crdt/protocol/stock"
import type { ReplicaView } from "./checkers/client-view.ts"
import type { Network, SocketOwner } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { createReplica } from "./replica/replica.ts"
import type { Replica } from "./replica/replica.ts"
import type { Scheduler } from "./scheduler.ts"
import { utf8Encode } from "@causeway/crdt/base"
import type { Watch } from "./watch.ts"
import type { Workload } from "./workloads/index.ts"
import type { SimWriter } from "./writer.ts"

const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 2500
const SILENT_MS = 30_000
const WATCHDOG_MS = 3000
const PRESENCE_RENEWAL_MS = 15_000

export type StockClientWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly watch: Watch
  readonly workload: Workload
  readonly makeView: (document: DocumentId) => ReplicaView
}

export class SimStockClient implements SimWriter {
  readonly host: HostId
  readonly name: string
  readonly #room: string
  readonly #document: DocumentId
  readonly #world: StockClientWorld
  readonly #random: SimRandom
  #node: HostId
  #replica: Replica | undefined
  #view: ReplicaView | undefined
  #socket: ConnectionId | undefined
  #synced = false
  #life = 0
  #failures = 0
  #heardMs: Millis = 0
  #presenceClock = 0

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
    this.#room = room
    const document = documentIdOf("yjs", room)
    assert(document !== undefined, "a room is a document's name")
    this.#document = document
    this.#node = node
    this.#world = world
    this.#random = random
  }

  get running(): boolean {
    return this.#replica !== undefined
  }

  get replicas(): readonly Replica[] {
    return this.#replica === undefined ? [] : [this.#replica]
  }

  start(): void {
    this.#life += 1
    this.#replica = createReplica(this.#document, this.#random, this.#world.workload)
    this.#view = this.#world.makeView(this.#document)
    this.#presenceClock = 0
    this.#connect()
    this.#watch()
  }

  crash(): void {
    this.#life += 1
    this.#replica?.close()
    this.#replica = undefined
    this.#socket = undefined
    this.#synced = false
    this.#world.network.dropHost(this.host, this.#random.chance(0.3))
    this.#world.watch.onForgotten(this, "lost")
  }

  write(random: SimRandom, token: string): void {
    const updates = this.#replica?.edit(random, token) ?? []
    for (const update of updates) {
      this.#world.watch.onWrite(this, this.#document, token, update)
      this.#view?.add(update)
      this.#send(encodeYUpdate(update))
    }
  }

  present(random: SimRandom): void {
    if (this.#replica === undefined) return
    this.#presenceClock += 1
    const state = utf8Encode(JSON.stringify({ cursor: random.int(0, 99) }))
    const client = this.#replica.presenceClient
    this.#send(encodeYAwareness([{ client, clock: this.#presenceClock, state }]))
  }

  disconnect(node?: HostId): void {
    this.#node = node ?? this.#node
    if (this.#socket !== undefined) this.#world.network.close(this.#socket, 1000)
  }

  reopen(): void {
    this.disconnect()
  }

  unrest(): string | undefined {
    if (this.#replica === undefined) return "not running"
    return this.#synced ? undefined : "not synced"
  }

  #guard<Values extends readonly unknown[]>(
    run: (...values: Values) => void,
  ): (...values: Values) => void {
    const life = this.#life
    return (...values) => {
      if (life === this.#life) run(...values)
    }
  }

  #send(frame: Uint8Array): void {
    if (this.#socket !== undefined) this.#world.network.send(this.#socket, frame)
  }

  #connect(): void {
    const owner: SocketOwner = {
      onFrame: this.#guard((connection: ConnectionId, frame: Uint8Array) =>
        this.#onFrame(connection, frame),
      ),
      onClosed: this.#guard((connection: ConnectionId, code: number) =>
        this.#onClosed(connection, code),
      ),
    }
    const opened = this.#guard((connection: ConnectionId | undefined) => {
      if (connection === undefined) return this.#retry()
      this.#socket = connection
      this.#heardMs = this.#world.scheduler.nowMs
      this.#send(encodeYStep1(this.#replica?.summary() ?? Uint8Array.of(0)))
      this.present(this.#random)
    })
    const door = { type: "y-websocket", room: this.#room } as const
    this.#world.network.dial(this.host, this.#node, door, owner, (result) =>
      opened(result?.connection),
    )
  }

  #retry(): void {
    const delayMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.#failures)
    this.#failures += 1
    this.#world.scheduler.after(
      delayMs,
      this.#guard(() => this.#connect()),
    )
  }

  #onClosed(connection: ConnectionId, code: number): void {
    if (connection !== this.#socket) return
    this.#socket = undefined
    this.#synced = false
    if (!mayRetry(code)) return this.#world.watch.onRefused(this, code)
    this.#retry()
  }

  #onFrame(connection: ConnectionId, frame: Uint8Array): void {
    const replica = this.#replica
    if (connection !== this.#socket || replica === undefined) return
    this.#heardMs = this.#world.scheduler.nowMs
    const message = decodeYMessage(frame)
    switch (message.type) {
      case "step1":
        return this.#send(encodeYStep2(replica.difference(message.summary)))
      case "step2":
        this.#synced = true
        this.#failures = 0
        return this.#apply(replica, message.update)
      case "update":
        return this.#apply(replica, message.update)
      case "awareness":
      case "query-awareness":
        return
    }
  }

  #apply(replica: Replica, update: Uint8Array): void {
    this.#view?.add(update)
    replica.apply([update])
  }

  /** The published client's two timers: the watchdog and the renewal of its own presence. */
  #watch(): void {
    const tick = this.#guard((count: number) => {
      const silentMs = this.#world.scheduler.nowMs - this.#heardMs
      if (this.#socket !== undefined && silentMs > SILENT_MS) this.disconnect()
      if (count * WATCHDOG_MS >= PRESENCE_RENEWAL_MS) this.present(this.#random)
      const next = count * WATCHDOG_MS >= PRESENCE_RENEWAL_MS ? 0 : count + 1
      this.#world.scheduler.after(WATCHDOG_MS, () => tick(next))
    })
    this.#world.scheduler.after(WATCHDOG_MS, () => tick(1))
  }
}
