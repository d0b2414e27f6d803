/**
 * Drives one real node core on virtual time: effects in order, jobs through `runJob` after a
 * virtual duration, a SimDisk behind its store. A crash drops the core and every connection; a
 * start opens the disk again with a new core.
 */
import { assert } from "@causeway/crdt/base"
import type { ConnectionId, Millis, NodeId } from "@causeway/crdt/base"
import { NodeCore, Reopenings, runJob } from "@causeway/crdt/node"
import type { CompactionConfig, Effect, Endpoint, Engines } from "@causeway/crdt/node"
import type { Input, Job, NodeConfig } from "@causeway/crdt/node"
import type { ReopenDoubt, Store } from "@causeway/crdt/ports"
import { closeCodes } from "@causeway/crdt/protocol"
import { Alarm } from "./alarm.ts"
import { HostClock } from "./clock.ts"
import { WATCH_MIN } from "./client-world.ts"
import type { SimDisk } from "./disk.ts"
import { EventLoop } from "./event-loop.ts"
import { asTomorrow, linkVersionsOf } from "./build.ts"
import type { Build } from "./build.ts"
import type { Network, SocketOwner } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Scheduler } from "./scheduler.ts"
import type { TokenOffice } from "./token-office.ts"
import type { Trace } from "./trace.ts"
import type { Watch } from "./watch.ts"

export type NodeSetup = {
  readonly host: HostId
  readonly node: NodeId
  readonly cluster: string
  readonly secret: Uint8Array | undefined
  readonly peers: readonly string[]
  readonly engines: Engines
  readonly skewMs: Millis
  readonly jobMs: Millis
  readonly compaction: CompactionConfig
  readonly pushDelayMs: Millis | undefined
}

export type NodeWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly trace: Trace
  readonly watch: Watch
  /** The host behind a peer's address. */
  readonly hostOf: (address: string) => HostId | undefined
  /** Undefined: everybody is let in. */
  readonly tokens: TokenOffice | undefined
}

export class SimNode {
  readonly host: HostId
  readonly node: NodeId
  readonly disk: SimDisk
  readonly clock: HostClock
  /** Crashes so far; tells one life of the process from the next. */
  life = 0
  readonly #setup: NodeSetup
  readonly #world: NodeWorld
  readonly #random: SimRandom
  /** What is installed; the next life runs it. */
  build: Build = "today"
  /** How many times longer than usual its jobs take. */
  jobSlowness = 1
  readonly #loop = new EventLoop()
  #runs: Build = "today"
  /** The process's; a crash forgets them. */
  #reopenings = new Reopenings()
  #core: NodeCore | undefined
  #store: Store | undefined
  #alarm: Alarm | undefined

  constructor(setup: NodeSetup, world: NodeWorld, disk: SimDisk, random: SimRandom) {
    this.#setup = setup
    this.#world = world
    this.#random = random
    this.host = setup.host
    this.node = setup.node
    this.disk = disk
    this.clock = new HostClock(world.scheduler, setup.skewMs)
  }

  get running(): boolean {
    return this.#core !== undefined
  }

  get isPaused(): boolean {
    return this.#loop.isPaused
  }

  /** The process stands still until it is resumed or dies; nobody is answered `untilMs`. */
  pause(untilMs: Millis): void {
    assert(this.#core !== undefined, "the node does not run")
    this.#loop.pause()
    this.#world.network.freeze(this.host, untilMs)
  }

  resume(): void {
    this.#world.network.thaw(this.host)
    this.#loop.resume()
  }

  /** The core, while the process runs. */
  get core(): NodeCore | undefined {
    return this.#core
  }

  /**
   * `doubt`: what the core before it found out about the disk. The process ends at once if its
   * data folder is another node's.
   */
  start(doubt?: ReopenDoubt): void {
    assert(this.#core === undefined, "the node runs already")
    const { network, trace, watch } = this.#world
    if (this.disk.isForeign) return trace.add("refused", this.host)
    this.life += 1
    this.#runs = this.build
    trace.add("start", this.host, this.build === "today" ? 0 : 1)
    this.#store = this.disk.open(doubt)
    const { node, origin, heads, floors, cuts, clusterRecords, notes } = this.#store.opened
    const { cluster, secret, peers, engines, compaction, pushDelayMs } = this.#setup
    const random = this.#random.split(`life ${this.life}`)
    if (doubt === undefined) this.#reopenings = new Reopenings()
    else this.#reopenings.note(doubt, this.clock.nowMs)
    const { fromMs: reopenFromMs, staying } = this.#reopenings
    const identity = { node, origin, heads, floors, cuts, clusterRecords, notes, cluster, peers }
    const linkVersions = linkVersionsOf(this.build)
    const wire = { linkVersions, ...(secret === undefined ? {} : { secret }) }
    const watching = { watchMin: WATCH_MIN, checksTokens: this.#world.tokens !== undefined }
    const own = { engines, random, reopenFromMs, staying, compaction, pushDelayMs, ...watching }
    const config: NodeConfig = { ...identity, ...wire, ...own }
    this.#core = new NodeCore(config, this.clock.nowMs)
    this.#alarm = new Alarm(
      this.clock,
      this.#guard(() => this.input({ type: "deadline" })),
    )
    watch.onNodeStarted(this)
    network.listen(this.host, {
      onAccepted: (connection, endpoint) => this.#onAccepted(connection, endpoint),
    })
    this.#alarm.want(this.#core.nextDeadline()?.atMs)
  }

  /** The process dies; `silently` as in a power cut. Gives how many appends were lost. */
  crash(silently: boolean): number {
    assert(this.#core !== undefined, "the node does not run")
    this.#world.trace.add("crash", this.host)
    return this.#end("crashed", silently)
  }

  #end(how: "crashed" | "stopped", silently: boolean): number {
    this.#world.watch.onNodeEnded(this, how)
    this.#alarm?.stop()
    this.#core = undefined
    this.#store = undefined
    this.life += 1
    this.#loop.drop()
    this.#world.network.dropHost(this.host, silently)
    return this.disk.crash()
  }

  /** This life is over; the next one starts on the same disk, in doubt. */
  #reopen(doubt: ReopenDoubt): void {
    this.#world.trace.add("reopen", this.host)
    this.#end("stopped", false)
    this.start(doubt)
  }

  /** Asks the process to end in order; it runs until all it accepted is durable. */
  stop(): void {
    this.#loop.run(this.#guard(() => this.input({ type: "stop" })))
  }

  input(input: Input): void {
    if (this.#core === undefined) return
    const { watch } = this.#world
    watch.onNodeInput(this, input)
    const effects: Effect[] = []
    this.#core.step(input, this.clock.nowMs, effects)
    for (const effect of effects) this.#perform(effect)
    this.#alarm?.want(this.#core.nextDeadline()?.atMs)
    watch.onNodeStepped(this)
  }

  /** Results of one life mean nothing to the next. */
  #guard<Values extends readonly unknown[]>(
    run: (...values: Values) => void,
  ): (...values: Values) => void {
    const life = this.life
    return (...values) => {
      if (life !== this.life) return
      if (!this.#loop.isPaused) return run(...values)
      this.#loop.run(() => {
        if (life === this.life) run(...values)
      })
    }
  }

  #onAccepted(connection: ConnectionId, door: Endpoint): SocketOwner {
    const { tokens } = this.#world
    const isChecked = door.type === "y-websocket" && tokens !== undefined
    const endpoint = isChecked ? { ...door, check: tokens.anybody() } : door
    this.#world.scheduler.after(
      0,
      this.#guard(() => this.input({ type: "opened", connection, endpoint })),
    )
    return this.#owner()
  }

  #owner(): SocketOwner {
    return {
      onFrame: this.#guard((connection: ConnectionId, frame: Uint8Array) =>
        this.input({ type: "frame", connection, frame }),
      ),
      onBadFrame: this.#guard((connection: ConnectionId, why: "too-large" | "malformed") =>
        this.input({ type: "bad-frame", connection, why }),
      ),
      onClosed: this.#guard((connection: ConnectionId, code: number) =>
        this.input({ type: "closed", connection, code }),
      ),
      onCongested: this.#guard((connection: ConnectionId) =>
        this.input({ type: "congested", connection }),
      ),
      onDrained: this.#guard((connection: ConnectionId) =>
        this.input({ type: "drained", connection }),
      ),
    }
  }

  #perform(effect: Effect): void {
    const { network, watch } = this.#world
    watch.onNodeEffect(this, effect)
    switch (effect.type) {
      case "send":
        for (const connection of effect.to) {
          for (const frame of effect.frames) this.#send(connection, frame)
        }
        return
      case "close":
        return network.close(effect.connection, closeCodes[effect.reason].code)
      case "append":
        return this.#append(effect)
      case "read":
        return this.#read(effect)
      case "job":
        return this.#runJob(effect.job, effect.work)
      case "check-token":
        return this.#checkToken(effect)
      case "dial":
        return this.#dial(effect.address)
      case "stopped":
        return this.#soon(() => this.#end("stopped", false))
      case "reopen":
        return this.#soon(() => this.#reopen(effect.doubt))
      case "reply":
      case "emit":
        return
    }
  }

  #soon(run: () => void): void {
    this.#world.scheduler.after(0, this.#guard(run))
  }

  #read({ read, query }: Extract<Effect, { readonly type: "read" }>): void {
    const done = this.#guard((input: Input) => this.input(input))
    this.#store?.read(query, (result) => done({ type: "read-done", read, result }))
  }

  #checkToken({ connection, token }: Extract<Effect, { readonly type: "check-token" }>): void {
    const done = this.#guard((input: Input) => this.input(input))
    this.#world.tokens?.check(token, (check) => done({ type: "token-checked", connection, check }))
  }

  #append({ batch, entries }: Extract<Effect, { readonly type: "append" }>): void {
    const { trace } = this.#world
    trace.add("append", this.host, entries.own.length, entries.adopted.length)
    const done = this.#guard((input: Input) => this.input(input))
    this.#store?.append(entries, (result) => {
      if (!result.ok) trace.add("append-failed", this.host)
      done({ type: "committed", batch, result })
    })
  }

  #send(connection: ConnectionId, frame: Uint8Array): void {
    const { network } = this.#world
    if (this.#runs === "today") return network.send(connection, frame)
    const door = network.doorOf(connection)
    if (door !== undefined) network.send(connection, asTomorrow(door, frame))
  }

  #runJob(job: number, work: Job): void {
    const tookMs = this.#setup.jobMs * this.#random.exponential(1) * this.jobSlowness
    this.#world.scheduler.after(
      tookMs,
      this.#guard(() => {
        const result = runJob(this.#setup.engines, work)
        this.input({ type: "job-done", job, result })
      }),
    )
  }

  #dial(address: string): void {
    const { network, hostOf } = this.#world
    const to = hostOf(address)
    const answer = this.#guard((connection: ConnectionId | undefined) =>
      connection === undefined
        ? this.input({ type: "dial-failed", address })
        : this.input({
            type: "opened",
            connection,
            endpoint: { type: "link-dialled", address },
          }),
    )
    assert(to !== undefined, () => `no such peer: ${address}`)
    network.dial(this.host, to, { type: "link-accepted" }, this.#owner(), (result) =>
      answer(result?.connection),
    )
  }
}
