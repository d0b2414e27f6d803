/**
 * Drives one real client core with real replicas on virtual time: what the SDK's driver does,
 * with a ClientDisk for storage. A crash drops core, replicas and socket; its storage may survive,
 * and then the next start shows and resends what was in the outbox.
 */
import { assert, parseClientId, partsOfDocumentId, utf8Encode } from "@causeway/crdt/base"
import type { ConnectionId, DocumentId, Millis } from "@causeway/crdt/base"
import type { ClientEffect, ClientInput } from "@causeway/crdt/client"
import type { Engines } from "@causeway/crdt/node"
import type { ClientStorage, LoadResult } from "@causeway/crdt/ports"
import { mayRetry } from "@causeway/crdt/protocol"
import type { Resume } from "@causeway/crdt/protocol"
import { Alarm } from "./alarm.ts"
import type { ReplicaView } from "./checkers/client-view.ts"
import { Coverage, opsOf } from "./checkers/coverage.ts"
import type { ClientDisk } from "./client-disk.ts"
import { HostClock } from "./clock.ts"
import type { Network, SocketOwner } from "./network.ts"
import type { ClientMachine, Parts } from "./parts.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import { createReplica } from "./replica/replica.ts"
import type { Replica } from "./replica/replica.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Watch } from "./watch.ts"
import type { Workload } from "./workloads/index.ts"
import type { SimWriter } from "./writer.ts"

export type ClientSetup = {
  readonly host: HostId
  readonly name: string
  readonly urls: readonly string[]
  readonly documents: readonly DocumentId[]
  readonly engines: Engines
}

export type ClientWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly parts: Parts
  readonly watch: Watch
  readonly workload: Workload
  readonly makeView: (document: DocumentId) => ReplicaView
  readonly hostOf: (address: string) => HostId | undefined
}

type Open = { readonly replica: Replica; readonly view: ReplicaView }

export class SimClient implements SimWriter {
  readonly host: HostId
  readonly name: string
  readonly #setup: ClientSetup
  readonly #world: ClientWorld
  readonly #disk: ClientDisk
  readonly #random: SimRandom
  readonly #clock: HostClock
  readonly #open = new Map<DocumentId, Open>()
  #storage: ClientStorage | undefined
  #core: ClientMachine | undefined
  #alarm: Alarm | undefined
  #inputs: ClientInput[] = []
  #stepping = false
  #life = 0
  /** The core's number for its socket, and the network's for the same. */
  #socket: { readonly own: ConnectionId; connection: ConnectionId | undefined } | undefined

  constructor(setup: ClientSetup, world: ClientWorld, disk: ClientDisk, random: SimRandom) {
    this.host = setup.host
    this.name = setup.name
    this.#setup = setup
    this.#world = world
    this.#disk = disk
    this.#random = random
    this.#clock = new HostClock(world.scheduler, random.between(-5000, 5000))
  }

  get running(): boolean {
    return this.#core !== undefined
  }

  get replicas(): readonly Replica[] {
    return [...this.#open.values()].map(({ replica }) => replica)
  }

  start(): void {
    this.#life += 1
    this.#storage = this.#disk.open()
    const fresh = parseClientId(this.#random.hex(32))
    assert(fresh !== undefined, "a client id is 32 hex digits")
    this.#storage.load(
      fresh,
      this.#guard((result: LoadResult) => this.#loaded(result)),
    )
  }

  #loaded(result: LoadResult): void {
    assert(result.ok, "the simulated storage loads")
    const { stored } = result
    const random = this.#random.split(`life ${this.#life}`)
    const { urls, documents } = this.#setup
    this.#core = this.#world.parts.makeClient({ urls, random, stored, authenticated: false })
    this.#alarm = new Alarm(
      this.#clock,
      this.#guard(() => this.#input({ type: "deadline" })),
    )
    for (const document of documents) {
      const replica = createReplica(document, this.#random, this.#world.workload)
      const view = this.#world.makeView(document)
      this.#open.set(document, { replica, view })
    }
    for (const { document, bytes } of stored.outbox) {
      this.#open.get(document)?.replica.apply([bytes])
      this.#open.get(document)?.view.add(bytes)
    }
    for (const [document, { replica }] of this.#open) {
      this.#input({ type: "open-document", document, resume: this.#resumeOf(replica) })
    }
    this.#input({ type: "go-online" })
  }

  #resumeOf(replica: Replica): Resume {
    if (this.#random.chance(0.5)) return { type: "nothing" }
    return { type: "summary", summary: replica.summary() }
  }

  crash(storage: "kept" | "lost"): void {
    this.#life += 1
    this.#alarm?.stop()
    this.#core = undefined
    this.#drop()
    this.#inputs = []
    for (const { replica } of this.#open.values()) replica.close()
    this.#open.clear()
    this.#disk.crash(storage === "lost")
    this.#world.network.dropHost(this.host, this.#random.chance(0.3))
    this.#world.watch.onForgotten(this, storage)
  }

  write(random: SimRandom, token: string): void {
    if (this.#core === undefined || this.#open.size === 0) return
    const [document, { replica, view }] = random.pick([...this.#open])
    for (const bytes of replica.edit(random, token)) {
      this.#world.watch.onWrite(this, document, token, bytes)
      view.add(bytes)
      this.#input({ type: "local-update", document, bytes })
    }
  }

  present(random: SimRandom): void {
    if (this.#core === undefined || this.#open.size === 0) return
    const [document, { replica }] = random.pick([...this.#open])
    const state = utf8Encode(JSON.stringify({ cursor: random.int(0, 99) }))
    this.#input({ type: "local-presence", document, client: replica.presenceClient, state })
  }

  disconnect(): void {
    if (this.#core === undefined) return
    if (this.#random.chance(0.5)) {
      this.#input({ type: "go-offline" })
      this.#world.scheduler.after(
        this.#random.exponential(2000),
        this.#guard(() => this.#input({ type: "go-online" })),
      )
    } else if (this.#socket?.connection !== undefined) {
      this.#world.network.close(this.#socket.connection, 1000)
    }
  }

  reopen(random: SimRandom, afterMs: Millis): void {
    if (this.#core === undefined || this.#open.size === 0) return
    const [document, { replica }] = random.pick([...this.#open])
    const vector = this.#core.resumeOf(document)
    this.#input({ type: "close-document", document })
    this.#world.scheduler.after(
      afterMs,
      this.#guard(() => {
        const known = vector !== undefined && this.#random.chance(0.5)
        const resume = known ? ({ type: "vector", vector } as const) : this.#resumeOf(replica)
        this.#input({ type: "open-document", document, resume })
      }),
    )
  }

  unrest(): string | undefined {
    if (this.#core === undefined) return "not running"
    const { connection, pending } = this.#core
    if (connection.state !== "connected") return connection.state
    return pending.count === 0 ? undefined : `${pending.count} updates pending`
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
    this.#inputs.push(input)
    if (this.#stepping) return
    this.#stepping = true
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const effects: ClientEffect[] = []
        this.#core?.step(next, this.#clock.nowMs, effects)
        for (const effect of effects) this.#perform(effect)
      }
    } finally {
      this.#stepping = false
    }
    this.#alarm?.want(this.#core?.nextDeadline()?.atMs)
  }

  #perform(effect: ClientEffect): void {
    if (isNotice(effect)) return
    switch (effect.type) {
      case "connect":
        return this.#connect(effect.socket, effect.url)
      case "send":
        return this.#send(effect)
      case "disconnect":
        return this.#disconnect(effect)
      case "store":
        return this.#store(effect)
      case "deliver":
        return this.#deliver(effect)
      case "resume":
        return this.#open.get(effect.document)?.view.onResume(effect.resume)
      case "node-summary":
        return this.#compare(effect)
    }
  }

  #send({ socket, frame }: Extract<ClientEffect, { type: "send" }>): void {
    const { own, connection } = this.#socket ?? {}
    if (own === socket && connection !== undefined) this.#world.network.send(connection, frame)
  }

  #disconnect({ socket, code }: Extract<ClientEffect, { type: "disconnect" }>): void {
    if (this.#socket?.own !== socket) return
    const { connection } = this.#socket
    if (connection !== undefined) this.#world.network.close(connection, code)
    this.#drop()
  }

  #drop(): void {
    if (this.#socket?.connection !== undefined) this.#world.watch.onConnected(this, undefined)
    this.#socket = undefined
  }

  #store({ writes }: Extract<ClientEffect, { type: "store" }>): void {
    const done = this.#guard((input: ClientInput) => this.#input(input))
    this.#storage?.write(writes, (result) => done({ type: "stored", result }))
  }

  #deliver({ document, updates, resume }: Extract<ClientEffect, { type: "deliver" }>): void {
    const open = this.#open.get(document)
    if (open === undefined) return
    for (const update of updates) open.view.add(update)
    open.replica.apply(updates)
    this.#world.watch.onDelivered(this, document, updates)
    open.view.onResume(resume)
  }

  /** The node lacks something that this replica got elsewhere: it is sent along. */
  #compare(effect: Extract<ClientEffect, { type: "node-summary" }>): void {
    const { document, summary, outgoing } = effect
    const open = this.#open.get(document)
    if (open === undefined) return
    const engine = this.#setup.engines[partsOfDocumentId(document).engine]
    const bytes = open.replica.difference(summary)
    const { added } = bytes.length === 0 ? { added: [] } : opsOf(engine, bytes)
    const underWay = new Coverage()
    for (const update of outgoing) underWay.add(opsOf(engine, update))
    if (underWay.has({ added, deleted: [] })) return
    open.view.add(bytes)
    this.#inputs.push({ type: "difference", document, bytes })
  }

  #connect(own: ConnectionId, url: string): void {
    const to = this.#world.hostOf(url)
    assert(to !== undefined, () => `no such node: ${url}`)
    const socket: { readonly own: ConnectionId; connection: ConnectionId | undefined } = {
      own,
      connection: undefined,
    }
    this.#socket = socket
    const owner: SocketOwner = {
      onFrame: this.#guard((_connection: ConnectionId, bytes: Uint8Array) =>
        this.#input({ type: "frame", socket: own, bytes }),
      ),
      onClosed: this.#guard((_connection: ConnectionId, code: number) => this.#onClosed(own, code)),
    }
    const opened = this.#guard((connection: ConnectionId | undefined) => {
      if (connection === undefined) return this.#onClosed(own, 1006)
      if (this.#socket !== socket) return this.#world.network.close(connection, 1000)
      socket.connection = connection
      this.#world.watch.onConnected(this, to)
      this.#input({ type: "socket-opened", socket: own })
    })
    this.#world.network.dial(this.host, to, { type: "native" }, owner, (result) =>
      opened(result?.connection),
    )
  }

  #onClosed(own: ConnectionId, code: number): void {
    if (this.#socket?.own === own && !mayRetry(code)) this.#world.watch.onRefused(this, code)
    if (this.#socket?.own === own) this.#drop()
    this.#input({ type: "socket-closed", socket: own, code, reason: "" })
  }
}

type Notice = Exclude<
  ClientEffect,
  {
    readonly type:
      | "connect"
      | "send"
      | "disconnect"
      | "store"
      | "deliver"
      | "resume"
      | "node-summary"
  }
>

/** What a real driver tells its app, and the simulator reads off the core when it wants to know. */
function isNotice(effect: ClientEffect): effect is Notice {
  return notices.has(effect.type)
}

const notices: ReadonlySet<string> = new Set<Notice["type"]>([
  "rejected",
  "fetch-token",
  "presence",
  "acked",
  "connection-status",
  "document-status",
  "pending-status",
  "emit",
])
