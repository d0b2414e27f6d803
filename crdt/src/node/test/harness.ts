/**
 * Node cores on virtual time, wired to stores, jobs, clients and each other. Whatever is on its
 * way (a store's answer, a job, a frame, a dial) is an action that waits: `settle` runs them all
 * in a fixed order, a fuzz test picks them in any order, and a test can hold stores and jobs back.
 * What no core may ever do is asserted here, for every test: see `#carryOut`.
 */
import { assert, documentIdOf, originOf, parseNodeId } from "../../base/index.ts"
import type { ConnectionId, DocumentId, EngineName, Millis } from "../../base/index.ts"
import { automergeEngine } from "../../engines/automerge/index.ts"
import { yjsEngine } from "../../engines/yjs/index.ts"
import type { MemoryLog } from "../../log/index.ts"
import type { ReopenDoubt } from "../../ports/index.ts"
import { closeCodes } from "../../protocol/index.ts"
import type { CloseReason } from "../../protocol/index.ts"
import type { Effect, NodeEvent } from "../effect.ts"
import type { Endpoint, Input, Reply } from "../input.ts"
import { runJob } from "../job.ts"
import type { Engines, Job } from "../job.ts"
import { secretOf } from "../link-proof.ts"
import type { NodeConfig } from "../config.ts"
import { NodeCore } from "../node-core.ts"
import { Reopenings } from "../reopenings.ts"
import { Pipe } from "./pipe.ts"
import type { End } from "./pipe.ts"
import { Promises } from "./promises.ts"
import { TestStore } from "./store.ts"

export type { End } from "./pipe.ts"

export const engines: Engines = { yjs: yjsEngine, automerge: automergeEngine }

export function must<T>(value: T | undefined): T {
  assert(value !== undefined, "the test wants a value here")
  return value
}

export function documentNamed(name: string, engine: EngineName = "yjs"): DocumentId {
  return must(documentIdOf(engine, name))
}

type NodeOptions = Pick<NodeConfig, "compaction" | "pushDelayMs" | "watchMin" | "checksTokens"> & {
  readonly peers?: readonly string[]
  readonly cluster?: string
  readonly secret?: string
  readonly address?: string
}

export class TestNode {
  readonly name: string
  readonly world: World
  readonly peers: readonly string[]
  readonly cluster: string
  readonly secret: Uint8Array | undefined
  readonly address: string
  readonly store: TestStore
  core: NodeCore
  jobsHeld = false
  readonly jobs: { readonly job: number; readonly work: Job }[] = []
  readonly pipes = new Map<ConnectionId, { readonly pipe: Pipe; readonly side: 0 | 1 }>()
  /** All that the core did, in order. */
  effects: Effect[] = []
  /** When each append began. */
  readonly appendsMs: Millis[] = []
  readonly replies = new Map<number, Reply>()
  isStopped = false
  /** For what its store was opened anew, in order. */
  readonly reopened: ReopenDoubt[] = []
  readonly #reopenings = new Reopenings()
  readonly #promises: Promises
  readonly #options: NodeOptions
  #life = 1

  constructor(world: World, name: string, options: NodeOptions) {
    this.world = world
    this.name = name
    const { peers = [], cluster = "test", secret, address = "" } = options
    this.peers = peers
    this.cluster = cluster
    this.#options = options
    this.secret = secret === undefined ? undefined : secretOf(secret)
    this.address = address
    this.store = new TestStore(must(originOf(must(parseNodeId(name)), "00000000000000a1")))
    this.#promises = new Promises(this.store)
    this.core = this.#boot()
  }

  get origin() {
    return this.store.log.origin
  }

  get events(): NodeEvent[] {
    return this.effects.flatMap((effect) => (effect.type === "emit" ? [effect.event] : []))
  }

  eventsOf<T extends NodeEvent["type"]>(type: T): Extract<NodeEvent, { type: T }>[] {
    const is = (event: NodeEvent): event is Extract<NodeEvent, { type: T }> => event.type === type
    return this.events.filter(is)
  }

  #boot(): NodeCore {
    const { compaction = {}, pushDelayMs, watchMin, checksTokens } = this.#options
    const told = { compaction, pushDelayMs, watchMin, checksTokens }
    const config = {
      ...told,
      node: must(parseNodeId(this.name)),
      origin: this.origin,
      heads: this.store.log.heads(),
      floors: this.store.log.floors(),
      cuts: this.store.log.cuts(),
      clusterRecords: this.store.log.clusterRecords(),
      notes: this.store.log.side.notes(),
      cluster: this.cluster,
      peers: this.peers,
      address: this.address,
      ...(this.secret === undefined ? {} : { secret: this.secret }),
      engines,
      random: this.world.random,
      reopenFromMs: this.#reopenings.fromMs,
      staying: this.#reopenings.staying,
    }
    return new NodeCore(config, this.world.nowMs)
  }

  /** The process dies and starts again on what its disk holds. */
  crash(durable = false): void {
    for (const { pipe, side } of this.pipes.values()) this.world.hangUp(pipe, side)
    this.pipes.clear()
    this.jobs.length = 0
    this.store.crash(durable)
    this.#life += 1
    this.core = this.#boot()
  }

  /** The same, on a copy of its disk that was made earlier. */
  restore(log: MemoryLog): void {
    this.store.crash(false)
    this.store.log = log.copy()
    this.crash()
  }

  /** What a driver does for the effect: the log under a fresh epoch, and a new core on it. */
  #reopen(doubt: ReopenDoubt): void {
    assert(this.pipes.size === 0, "a core that ends closes its connections")
    this.reopened.push(doubt)
    this.#reopenings.note(doubt, this.world.nowMs)
    this.store.crash(true)
    const epoch = (0xa1 + this.reopened.length).toString(16).padStart(16, "0")
    const fresh = must(originOf(must(parseNodeId(this.name)), epoch))
    if (doubt.why === "fork") this.store.log.giveWay(doubt)
    else this.store.log.renew(fresh, "keepSeq" in doubt ? { keepSeq: doubt.keepSeq } : {})
    this.jobs.length = 0
    this.#life += 1
    this.core = this.#boot()
  }

  input(input: Input): void {
    const effects: Effect[] = []
    this.core.step(input, this.world.nowMs, effects)
    for (const effect of effects) this.#carryOut(effect)
  }

  deadline(): Millis {
    return this.core.nextDeadline()?.atMs ?? Infinity
  }

  /** An answer of one life means nothing to the next. */
  #alive<Values extends readonly unknown[]>(run: (...values: Values) => void) {
    const life = this.#life
    return (...values: Values) => {
      if (life === this.#life) run(...values)
    }
  }

  #carryOut(effect: Effect): void {
    this.effects.push(effect)
    switch (effect.type) {
      case "send":
        assert(effect.to.length > 0 && effect.frames.length > 0, "an empty send")
        for (const connection of effect.to) this.#send(connection, effect.frames)
        return
      case "close": {
        const found = this.pipes.get(effect.connection)
        assert(found !== undefined, () => `closed twice: ${effect.reason}`)
        this.world.closeFrom(found.pipe, found.side, effect.reason)
        return
      }
      case "append": {
        const { batch, entries } = effect
        this.appendsMs.push(this.world.nowMs)
        const done = this.#alive((input: Input) => this.input(input))
        this.store.append(entries, (result) => done({ type: "committed", batch, result }))
        return
      }
      case "read": {
        const { read, query } = effect
        const done = this.#alive((input: Input) => this.input(input))
        this.store.read(query, (result) => done({ type: "read-done", read, result }))
        return
      }
      case "job":
        this.jobs.push({ job: effect.job, work: effect.work })
        return
      case "dial": {
        const answer = this.#alive((input: Input) => this.input(input))
        this.world.dial(this, effect.address, answer)
        return
      }
      case "reply":
        this.replies.set(effect.command, effect.reply)
        return
      case "stopped":
        this.isStopped = true
        return
      case "reopen":
        return this.#reopen(effect.doubt)
      case "check-token":
      case "emit":
    }
  }

  #send(connection: ConnectionId, frames: readonly Uint8Array[]): void {
    const found = this.pipes.get(connection)
    assert(found !== undefined, "sent to a connection that is closed")
    const { pipe, side } = found
    for (const frame of frames) {
      this.#promises.check(pipe.id, frame)
      if (!pipe.isFrozen) pipe.to[side === 0 ? 1 : 0].push(frame)
    }
  }

  runJob(index = 0): void {
    const [next] = this.jobs.splice(index, 1)
    if (next === undefined) return
    this.input({ type: "job-done", job: next.job, result: runJob(engines, next.work) })
  }

  /** A door opens: this node's end of the pipe, and the `opened` input. */
  accept(pipe: Pipe, side: 0 | 1, endpoint: Endpoint): void {
    this.pipes.set(pipe.id, { pipe, side })
    this.#promises.open(pipe.id, endpoint)
    this.input({ type: "opened", connection: pipe.id, endpoint })
  }

  endFor(connection: ConnectionId): End {
    return {
      onFrame: this.#alive((frame: Uint8Array) => {
        if (this.pipes.has(connection)) this.input({ type: "frame", connection, frame })
      }),
      onClosed: this.#alive((reason: CloseReason | undefined) => {
        this.pipes.delete(connection)
        const code = reason === undefined ? {} : { code: closeCodes[reason].code }
        this.input({ type: "closed", connection, ...code })
      }),
    }
  }
}

export class World {
  nowMs: Millis = 1_000_000
  readonly nodes = new Map<string, TestNode>()
  readonly pipes = new Set<Pipe>()
  readonly #dials: (() => void)[] = []
  readonly #cuts = new Set<string>()
  #nextConnection = 1
  #seed: number

  constructor(seed = 1) {
    this.#seed = seed
  }

  /** A linear congruential generator is random enough for jitter. */
  readonly random = {
    next: (): number => {
      this.#seed = (this.#seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
      return this.#seed / 4_294_967_296
    },
    bytes: (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => Math.floor(this.random.next() * 256)),
  }

  /** A node called `name`; others dial it by that name. */
  node(name = "n1", options: NodeOptions = {}): TestNode {
    const node = new TestNode(this, name, options)
    this.nodes.set(name, node)
    return node
  }

  /** Nodes that all dial each other. */
  mesh(...names: string[]): TestNode[] {
    return names.map((name) => this.node(name, { peers: names.filter((peer) => peer !== name) }))
  }

  connect(node: TestNode, endpoint: Endpoint, client: End): ConnectionId {
    const id = this.#nextConnection++
    const pipe = new Pipe(id, [node.endFor(id), client])
    this.pipes.add(pipe)
    node.accept(pipe, 0, endpoint)
    return id
  }

  /** The client's side of a connection speaks, or hangs up. */
  clientSends(connection: ConnectionId, frame: Uint8Array): void {
    const pipe = this.pipe(connection)
    if (pipe !== undefined && pipe.closing === undefined) pipe.to[0].push(frame)
  }

  clientCloses(connection: ConnectionId): void {
    const pipe = this.pipe(connection)
    if (pipe !== undefined) this.hangUp(pipe, 1)
  }

  pipe(connection: ConnectionId): Pipe | undefined {
    return [...this.pipes].find(({ id }) => id === connection)
  }

  dial(from: TestNode, address: string, answer: (input: Input) => void): void {
    this.#dials.push(() => {
      const to = this.nodes.get(address)
      if (to === undefined || this.#cuts.has([from.name, address].toSorted().join(" "))) {
        answer({ type: "dial-failed", address })
        return
      }
      if (to === from) {
        this.#connectToItself(from, address)
        return
      }
      const ids = [this.#nextConnection++, this.#nextConnection++] as const
      const pipe = new Pipe(ids[0], [from.endFor(ids[0]), to.endFor(ids[0])])
      this.pipes.add(pipe)
      to.accept(pipe, 1, { type: "link-accepted" })
      from.accept(pipe, 0, { type: "link-dialled", address })
    })
  }

  /** Two connections of one node, whose other ends pass on what each is told. */
  #connectToItself(node: TestNode, address: string): void {
    const [accepted, dialled] = [this.#nextConnection, this.#nextConnection + 1]
    const passOnTo = (connection: ConnectionId): End => ({
      onFrame: (frame) => this.clientSends(connection, frame),
      onClosed: () => {
        const pipe = this.pipe(connection)
        if (pipe !== undefined) pipe.closing ??= { reason: undefined }
      },
    })
    this.connect(node, { type: "link-accepted" }, passOnTo(dialled))
    this.connect(node, { type: "link-dialled", address }, passOnTo(accepted))
  }

  /** A core closed its end: the other side gets what was sent, then the close. */
  closeFrom(pipe: Pipe, side: 0 | 1, reason: CloseReason): void {
    this.nodesOf(pipe)[side]?.pipes.delete(pipe.id)
    pipe.closing ??= { reason }
    pipe.to[side].length = 0
  }

  /** A side is gone: what was on its way to either is lost. */
  hangUp(pipe: Pipe, side: 0 | 1): void {
    if (pipe.isOver) return
    pipe.isOver = true
    this.pipes.delete(pipe)
    const nodes = this.nodesOf(pipe)
    nodes[side]?.pipes.delete(pipe.id)
    pipe.ends[side].onClosed(undefined)
    pipe.ends[side === 0 ? 1 : 0].onClosed(undefined)
  }

  nodesOf(pipe: Pipe): [TestNode | undefined, TestNode | undefined] {
    const at = (side: 0 | 1) =>
      [...this.nodes.values()].find((node) => node.pipes.get(pipe.id)?.side === side)
    return [at(0), at(1)]
  }

  linksBetween(left: TestNode, right: TestNode): Pipe[] {
    return [...this.pipes].filter(({ id }) => left.pipes.has(id) && right.pipes.has(id))
  }

  /** No link between the two until `heal`; silently: their links only stop to carry anything. */
  cut(left: TestNode, right: TestNode, silently = false): void {
    this.#cuts.add([left.name, right.name].toSorted().join(" "))
    for (const pipe of this.linksBetween(left, right)) {
      if (silently) {
        pipe.isFrozen = true
        for (const queue of pipe.to) queue.length = 0
      } else this.hangUp(pipe, 0)
    }
  }

  heal(left: TestNode, right: TestNode): void {
    this.#cuts.delete([left.name, right.name].toSorted().join(" "))
  }

  /** What could happen next, in a stable order. */
  actions(): (() => void)[] {
    const actions: (() => void)[] = []
    for (const node of this.nodes.values()) {
      const { store } = node
      if (!store.held && store.waiting.length > 0) actions.push(() => store.release())
      if (!node.jobsHeld)
        for (const index of node.jobs.keys()) actions.push(() => node.runJob(index))
    }
    for (const pipe of this.pipes) actions.push(...this.#actionsOf(pipe))
    const [dial] = this.#dials
    if (dial !== undefined) {
      actions.push(() => {
        this.#dials.shift()
        dial()
      })
    }
    return actions
  }

  #actionsOf(pipe: Pipe): (() => void)[] {
    const actions: (() => void)[] = []
    for (const side of [0, 1] as const) {
      const queue = pipe.to[side]
      if (queue.length === 0) continue
      actions.push(() => {
        const frame = queue.shift()
        if (frame !== undefined) pipe.ends[side].onFrame(frame)
      })
    }
    if (actions.length > 0 || pipe.closing === undefined) return actions
    return [
      () => {
        const reason = pipe.closing?.reason
        pipe.isOver = true
        this.pipes.delete(pipe)
        for (const end of pipe.ends) end.onClosed(reason)
      },
    ]
  }

  /** Runs what waits, and what follows from it, until nothing does. */
  settle(): void {
    for (let count = 0; count < 100_000; count++) {
      const [next] = this.actions()
      if (next === undefined) return
      next()
    }
    assert(false, "it never settles")
  }

  /** Time passes and timers fire; what follows from that waits. */
  pass(ms: Millis): void {
    this.nowMs += ms
    for (const node of this.nodes.values()) {
      if (node.deadline() <= this.nowMs) node.input({ type: "deadline" })
    }
  }

  /** Lets time pass, deadline by deadline, and settles at each. */
  advance(ms: Millis): void {
    const untilMs = this.nowMs + ms
    this.settle()
    for (let count = 0; count < 100_000; count++) {
      const next = Math.min(...[...this.nodes.values()].map((node) => node.deadline()))
      if (next > untilMs) {
        this.nowMs = untilMs
        return
      }
      this.nowMs = Math.max(this.nowMs, next)
      for (const node of this.nodes.values()) {
        if (node.deadline() <= this.nowMs) node.input({ type: "deadline" })
      }
      this.settle()
    }
    assert(false, "a deadline is never met")
  }
}
