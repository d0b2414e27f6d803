/**
 * One time that a tab leads: drives the real client core for all tabs, as the SDK's `Reign` and
 * `Driver` do, and works only while the tab has its lease. Rules [H2]–[H5] [H8].
 */
import { assert, parseClientId, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { ClientCore } from "@causeway/crdt/client"
import type { ClientEffect, ClientInput } from "@causeway/crdt/client"
import type { HigherTier } from "@causeway/crdt/client"
import { HeldDocument } from "@causeway/crdt/client/tabs"
import type { DriverInput, LeaderEffect, TabMessage } from "@causeway/crdt/client/tabs"
import type { DocumentReadResult, LoadResult, RejectedUpdate } from "@causeway/crdt/ports"
import type { Resume } from "@causeway/crdt/protocol"
import { Alarm } from "../alarm.ts"
import { answerTo, REJECTED_MS } from "../app-habits.ts"
import { asTomorrow } from "../build.ts"
import { Coverage, opsOf } from "../checkers/coverage.ts"
import type { ClientDiskHandle } from "../client-disk.ts"
import { ClientSockets } from "../client-sockets.ts"
import { optionsOf } from "../client-world.ts"
import type { ClientSetup, ClientWorld } from "../client-world.ts"
import type { SimRandom } from "../random.ts"
import type { SimWriter } from "../writer.ts"
import { openDocument, SimFooting } from "./footing.ts"
import { Saves } from "./saves.ts"
import type { Question } from "./saves.ts"

/** How long it takes until a replica that nobody sees is there, on average. */
const HIDDEN_MS = 5
/** How often a document that storage has is opened by its resume point, not as if it had none. */
const STATES_VECTOR = 0.8

type Held = HeldDocument<SimFooting>
type Work = ClientInput | ((core: ClientCore) => void)
type Of<T extends LeaderEffect["type"]> = Extract<LeaderEffect, { readonly type: T }>

export type ReignOptions = {
  readonly writer: SimWriter
  readonly setup: ClientSetup
  readonly world: ClientWorld
  readonly storage: ClientDiskHandle
  readonly random: SimRandom
  readonly tiers: readonly HigherTier[]
  readonly mayRun: () => boolean
  readonly tell: (input: DriverInput) => void
  readonly post: (message: TabMessage) => void
  readonly own: (document: DocumentId) => SimFooting | undefined
  readonly isAhead: (document: DocumentId) => boolean
  readonly watch: (tab: string, onGone: () => void) => void
  /** Runs it when the tab is awake; never once it ended. */
  readonly guard: (run: () => void) => void
}

export class Reign {
  readonly #options: ReignOptions
  readonly #sockets: ClientSockets
  readonly #alarm: Alarm
  readonly #held = new Map<DocumentId, Held>()
  /** Those that the core knows. */
  readonly #attached = new Set<DocumentId>()
  /** Until storage is read. */
  #early: (() => void)[] = []
  #work: Work[] = []
  readonly #saves = new Saves((tab, ask, answer) => {
    this.#say({ type: "answer-ready", tab, ask, answer })
  })
  #core: ClientCore | undefined
  #running = false
  #isOver = false
  #storedSeq = -1
  dials = 0

  constructor(options: ReignOptions) {
    this.#options = options
    const { writer, world, storage, random } = options
    const { network, watch, hostOf } = world
    this.#sockets = new ClientSockets(writer.host, {
      network,
      hostOf,
      onInput: (input) => this.#guard(() => this.hand(input)),
      onConnected: (node) => watch.onConnected(writer, node),
      onRefused: (code) => watch.onRefused(writer, code),
    })
    const clock = writer.clock
    assert(clock !== undefined, "a tab has a clock")
    this.#alarm = new Alarm(clock, () => this.#guard(() => this.hand({ type: "deadline" })))
    const fresh = parseClientId(random.hex(32))
    assert(fresh !== undefined, "a client id is 32 hex digits")
    storage.load(fresh, (result) => this.#guard(() => this.#loaded(result)))
  }

  get core(): ClientCore | undefined {
    return this.#core
  }

  get node(): number | undefined {
    return this.#sockets.node
  }

  get dialling(): boolean {
    return this.#sockets.dialling
  }

  holds(document: DocumentId): boolean {
    return this.#held.has(document)
  }

  standsOn(footing: SimFooting): boolean {
    return this.#held.get(footing.open.document)?.replica === footing
  }

  disconnect(): void {
    this.#sockets.cut()
  }

  /** `how`: another leads; in order; or in the middle of everything. */
  end(how: "robbed" | "left" | "crashed"): void {
    if (how === "left") this.hand({ type: "stop" })
    this.#isOver = true
    this.#alarm.stop()
    if (how === "crashed") this.#sockets.end()
    else this.#sockets.hangUp()
    if (how !== "robbed") this.#options.storage.crash()
    for (const held of this.#held.values()) this.#drop(held)
    this.#held.clear()
    this.#core = undefined
  }

  #loaded(result: LoadResult): void {
    assert(result.ok, "the simulated storage loads")
    const { stored } = result
    const { setup, world, random, tiers } = this.#options
    this.#core = new ClientCore({ stored, ...optionsOf(random, setup, world) })
    const wanted = tiers.map((tier) => ({ type: "want-tier", tier }) as const)
    this.#work.unshift({ type: "go-online" }, ...wanted)
    for (const run of this.#early.splice(0)) run()
    for (const update of stored.rejected) this.#onRejected(update)
    this.run()
  }

  /** Takes an input now, or as soon as the tab may work. */
  hand(input: Work): void {
    if (this.#isOver) return
    this.#work.push(input)
    this.run()
  }

  run(): void {
    const core = this.#core
    if (core === undefined || this.#running || this.#isOver || !this.#options.mayRun()) return
    this.#running = true
    try {
      for (let next = this.#work.shift(); next !== undefined; next = this.#work.shift()) {
        const effects: ClientEffect[] = []
        if (typeof next === "function") next(core)
        else core.step(next, this.#nowMs, effects)
        for (const effect of effects) this.#perform(effect)
      }
    } finally {
      this.#running = false
    }
    this.#onIdle(core)
    this.#alarm.want(core.nextDeadline()?.atMs)
  }

  get #nowMs(): Millis {
    return this.#options.writer.clock?.nowMs ?? 0
  }

  #onIdle(core: ClientCore): void {
    this.#saves.check(core)
    const { storedSeq } = core
    if (storedSeq === this.#storedSeq) return
    this.#storedSeq = storedSeq
    this.#say({ type: "stored", storedSeq, safeSeq: storedSeq })
  }

  carryOut(effect: LeaderEffect): void {
    const { tell, watch } = this.#options
    switch (effect.type) {
      case "watch": {
        const { tab } = effect
        return watch(tab, () => this.#guard(() => this.#say({ type: "tab-gone", tab })))
      }
      case "hold":
        return this.#hold(effect.document)
      case "switch":
        return this.#switch(effect.document, effect.own)
      case "release":
        return this.#release(effect.document)
      case "settle": {
        const { document } = effect
        const held = this.#held.get(document)
        return held?.onceStanding(() => {
          if (this.#held.get(document) === held) this.#say({ type: "settled", document })
        })
      }
      case "check":
        return this.#check(effect)
      case "hand-in":
        this.hand({ ...effect, type: "local-update" })
        return this.hand(({ seqs }) => this.#say({ type: "handed", seq: seqs.last }))
      case "hand-presence":
        return this.hand({ ...effect, type: "local-presence" })
      case "show":
        return this.#held.get(effect.document)?.show(effect.updates)
      case "snapshot":
        return this.#snapshot(effect)
      case "brief":
        return tell({ type: "tell", news: this.#news(), to: effect.tab })
      case "answer":
        return this.hand((core) => {
          // cast: a tab's.
          this.#saves.add(effect.tab, effect.ask, effect.question as Question, core)
        })
    }
  }

  #hold(document: DocumentId): void {
    const held: Held = new HeldDocument(document, (input) => this.#say(input))
    this.#held.set(document, held)
    this.#standOn(held, this.#options.own(document))
    held.onceStanding(() => {
      this.#read(document, (result) => {
        held.onceStanding((footing) => this.#attach(held, footing, result))
      })
    })
  }

  #standOn(held: Held, own: SimFooting | undefined): void {
    const { world, random } = this.#options
    held.standOn(own, (ready) => {
      world.scheduler.after(random.exponential(HIDDEN_MS), () => {
        this.#guard(() => ready(new SimFooting(openDocument(held.document, random, world))))
      })
    })
  }

  #read(document: DocumentId, done: (result: DocumentReadResult) => void): void {
    const read = (): void => {
      this.#options.storage.read(document, (result) => this.#guard(() => done(result)))
    }
    if (this.#core === undefined) this.#early.push(read)
    else read()
  }

  /** As the SDK: with what storage has of it, and what is pending. */
  #attach(held: Held, footing: SimFooting, result: DocumentReadResult): void {
    const { document } = held
    const core = this.#core
    if (core === undefined || this.#held.get(document) !== held) return
    const { generation, stored, pending, resume } = core.opening(document, result)
    footing.apply([...stored, ...pending])
    this.#attached.add(document)
    const { random } = this.#options
    const isVector = resume !== undefined && random.chance(STATES_VECTOR)
    if (isVector) footing.open.view.onResume(resume)
    // Not a summary: the tab's replica may have what storage lacks.
    const point: Resume = isVector ? { type: "vector", vector: resume } : { type: "nothing" }
    this.hand({ type: "open-document", document, generation, resume: point, stored })
    const status = core.statusOf(document)
    if (status !== undefined) this.#say({ type: "status-changed", document, status })
    this.#say({ type: "held", document })
  }

  #switch(document: DocumentId, own: boolean): void {
    const held = this.#held.get(document)
    const footing = own ? this.#options.own(document) : undefined
    if (held === undefined || (own && footing === undefined)) return
    const before = held.replica
    this.#standOn(held, footing)
    if (before !== held.replica) this.#letGo(document, before)
  }

  #release(document: DocumentId): void {
    const held = this.#held.get(document)
    this.#held.delete(document)
    if (held === undefined) return
    this.#drop(held)
    if (this.#attached.delete(document)) this.hand({ type: "close-document", document })
  }

  #drop(held: Held): void {
    this.#letGo(held.document, held.replica)
    held.end()
  }

  /** Nobody needs it, unless its tab shows it. */
  #letGo(document: DocumentId, footing: SimFooting | undefined): void {
    if (footing !== this.#options.own(document)) footing?.open.replica.close()
  }

  /** Which of them neither storage nor the outbox has. */
  #check({ tab, updates }: Of<"check">): void {
    const documents = [...new Set(updates.map(({ document }) => document))]
    const kept = new Map<DocumentId, Coverage>()
    const engines = this.#options.setup.engines
    const isFresh = ({ document, bytes }: (typeof updates)[number]): boolean => {
      const ops = opsOf(engines[partsOfDocumentId(document).engine], bytes)
      return kept.get(document)?.has(ops) !== true
    }
    for (const document of documents) {
      this.#read(document, (result) => {
        const coverage = new Coverage()
        const opening = this.#core?.opening(document, result)
        const engine = engines[partsOfDocumentId(document).engine]
        const { stored = [], pending = [], withheld = [] } = opening ?? {}
        for (const update of [...stored, ...pending, ...withheld]) {
          coverage.add(opsOf(engine, update))
        }
        kept.set(document, coverage)
        if (kept.size < documents.length) return
        const fresh = updates.filter(isFresh).map(({ number }) => number)
        this.#say({ type: "checked", tab, fresh })
      })
    }
  }

  #snapshot({ document, tab, present, reign }: Of<"snapshot">): void {
    this.#held.get(document)?.onceStanding((footing) => {
      if (this.#isOver) return
      const state = footing.state()
      this.#options.post({ type: "opened", document, state, present, reign, to: [tab] })
    })
  }

  #news(): object {
    return { connection: this.#core?.connection, pending: this.#core?.pending }
  }

  #perform(effect: ClientEffect): void {
    switch (effect.type) {
      case "connect":
        this.dials += 1
        return this.#sockets.connect(effect.socket, effect.url)
      case "send": {
        const isToday = this.#options.writer.build === "today"
        const { socket, frame } = effect
        return this.#sockets.send(socket, isToday ? frame : asTomorrow({ type: "native" }, frame))
      }
      case "fetch-token": {
        this.dials += 1
        const { world, setup } = this.#options
        return world.tokens?.fetch(setup.name, (input) => this.#guard(() => this.hand(input)))
      }
      case "disconnect":
        return this.#sockets.disconnect(effect.socket, effect.code)
      case "store":
        return this.#options.storage.write(effect.writes, (result) => {
          this.#guard(() => this.hand({ type: "stored", result }))
        })
      case "deliver":
        return this.#deliver(effect)
      case "resume": {
        const { document, resume } = effect
        this.#held.get(document)?.onceStanding(({ open }) => open.view.onResume(resume))
        return
      }
      case "retried":
        return this.#held.get(effect.update.document)?.deliver([effect.update.bytes])
      case "node-summary":
        return this.#compare(effect)
      case "compact":
        return this.#compact(effect.document)
      default:
        return this.#show(effect)
    }
  }

  #show(effect: ClientEffect): void {
    switch (effect.type) {
      case "presence": {
        const { document, entries } = effect
        return this.#say({ type: "presence-heard", document, entries })
      }
      case "document-status": {
        const { document, status } = effect
        if (!this.#attached.has(document)) return
        return this.#say({ type: "status-changed", document, status })
      }
      case "connection-status":
      case "pending-status":
        return this.#say({ type: "tell", news: this.#news(), to: undefined })
      case "rejected":
        return this.#onRejected(effect.update)
      default:
    }
  }

  #deliver({ document, updates, resume }: Extract<ClientEffect, { type: "deliver" }>): void {
    const held = this.#held.get(document)
    if (held === undefined) return
    held.deliver(updates)
    const { world, writer } = this.#options
    if (held.replica?.isShown === true) world.watch.onDelivered(writer, document, updates)
    held.onceStanding(({ open }) => open.view.onResume(resume))
  }

  #compare(effect: Extract<ClientEffect, { type: "node-summary" }>): void {
    const { document, summary, outgoing } = effect
    const open = this.#held.get(document)?.replica?.open
    const engine = this.#options.setup.engines[partsOfDocumentId(document).engine]
    const bytes = open?.lacking(engine, summary, outgoing)
    if (bytes === undefined) return
    open?.view.add(bytes)
    this.#options.world.watch.onDifference(this.#options.writer, document, bytes)
    this.#work.push({ type: "difference", document, bytes })
  }

  /** As the SDK: once what is under way right now was handed in. */
  #compact(document: DocumentId): void {
    const held = this.#held.get(document)
    this.#options.world.scheduler.after(0, () => {
      this.#guard(() => {
        if (held === undefined || this.#held.get(document) !== held) return
        if (this.#options.isAhead(document)) return
        const state = held.replica?.state()
        if (state !== undefined) this.hand({ type: "compacted", document, state })
      })
    })
  }

  /** The app looks at it some time. */
  #onRejected(update: RejectedUpdate): void {
    this.#say({ type: "given-up", what: update.seq })
    this.#saves.onRejected(update)
    const { world, random, writer } = this.#options
    const { seq, document } = update
    world.scheduler.after(random.exponential(REJECTED_MS), () => {
      this.#guard(() => {
        const answer = answerTo(update, random)
        if (answer === "leave") return
        if (answer === "reopen" && writer.sessionOf(document) !== undefined) {
          writer.close(document)
          return writer.open(document)
        }
        const isKept = answer === "retry" || answer === "reopen"
        this.hand({ type: isKept ? "retry-rejected" : "dismiss-rejected", seq })
        if (answer === "write-anew") {
          this.hand({ type: "local-update", document, bytes: update.bytes })
        }
      })
    })
  }

  #guard(run: () => void): void {
    this.#options.guard(() => {
      if (!this.#isOver) run()
    })
  }

  #say(input: DriverInput): void {
    if (!this.#isOver) this.#options.tell(input)
  }
}
