/**
 * Tabs, their lock, their channel and their storage as a test wants them: each tab's tasks run in
 * order, when the test says so; a tab that is frozen runs none, and one that crashed never again.
 * The client's driver is as little of it as the protocol between tabs sees: updates are numbered as
 * they are handed in, and are in storage when the test says so. An update's bytes are its name.
 */
import { assert, documentIdOf } from "../../../base/index.ts"
import type { DocumentId } from "../../../base/index.ts"
import type { DocumentStatus } from "../../status.ts"
import { TabsCore, tabMessageOf } from "../index.ts"
import type { DriverInput, LeadHow, TabEffect, TabInput, TabMessage, TabUpdate } from "../index.ts"

export const note: DocumentId = documentIdOf("yjs", "note") ?? raise()

function raise(): never {
  throw new Error("no such document")
}

const encode = (names: readonly string[]): Uint8Array => new TextEncoder().encode(names.join(","))
const decode = (bytes: Uint8Array): string[] => {
  return new TextDecoder().decode(bytes).split(",").filter(Boolean)
}

type State = "live" | "frozen" | "gone"

export class Tab {
  readonly name: string
  readonly world: World
  readonly core: TabsCore
  shown = new Set<string>()
  readonly typed: string[] = []
  /** What the app was answered, in order. */
  readonly answers: unknown[] = []
  readonly presence = new Map<number, string>()
  status: DocumentStatus | undefined
  readonly tasks: (() => void)[] = []
  state: State = "live"
  isOpen = false
  /** What is typed in a handle that is not loaded is handed in when it is. */
  #isLoaded = false
  #early: string[] = []
  driver: Driver | undefined
  how: LeadHow | undefined

  constructor(world: World, name: string) {
    this.name = name
    this.world = world
    const effects: TabEffect[] = []
    this.core = new TabsCore(name, world.nowMs, effects)
    this.#carryOut(effects)
  }

  do(input: TabInput): void {
    const effects: TabEffect[] = []
    this.core.step(input, this.world.nowMs, effects)
    this.#carryOut(effects)
  }

  type(name = `${this.name}.${this.typed.length}`): void {
    if (!this.isOpen) return
    this.typed.push(name)
    this.shown.add(name)
    if (this.#isLoaded) this.do({ type: "local-update", document: note, bytes: encode([name]) })
    else this.#early.push(name)
  }

  #lead(how: LeadHow): void {
    this.how = how
    if (how === "crowded") this.world.forgo(this)
    else this.driver = new Driver(this)
  }

  #onOpened(): void {
    const { shown } = this
    this.tasks.push(() => {
      if (this.isOpen && this.shown === shown) this.#load()
    })
  }

  #load(): void {
    this.#isLoaded = true
    for (const name of this.#early.splice(0)) {
      this.do({ type: "local-update", document: note, bytes: encode([name]) })
    }
  }

  /** A fresh handle, with nothing in it yet. */
  open(): void {
    this.isOpen = true
    this.#isLoaded = false
    this.shown = new Set()
    this.do({ type: "open", document: note })
  }

  close(): void {
    this.#load()
    this.isOpen = false
    this.do({ type: "close", document: note })
  }

  /** Runs what waits; what comes of it waits for the next time. */
  run(): void {
    if (this.state !== "live") return
    for (const task of this.tasks.splice(0)) task()
    const next = this.core.nextDeadline()
    if (next !== undefined && next.atMs <= this.world.nowMs) this.do({ type: "deadline" })
  }

  runOne(): void {
    if (this.state === "live") this.tasks.shift()?.()
  }

  freeze(): void {
    this.state = "frozen"
  }

  thaw(): void {
    if (this.state === "frozen") this.state = "live"
  }

  crash(): void {
    this.#end()
  }

  /** Closes as a client does, if it may; gives whether it did. */
  leave(): boolean {
    if (this.state !== "live" || !this.core.isSettled || this.tasks.length > 0) return false
    if (this.driver !== undefined && !this.driver.flush(Infinity)) return false
    this.core.closing()
    const effects: TabEffect[] = []
    this.core.leave(effects)
    this.#carryOut(effects)
    this.#end()
    return true
  }

  #end(): void {
    this.state = "gone"
    this.driver = undefined
    this.world.release(this)
  }

  #carryOut(effects: readonly TabEffect[]): void {
    for (const effect of effects) this.#one(effect)
  }

  #one(effect: TabEffect): void {
    switch (effect.type) {
      case "post":
        return this.world.post(this, effect.message)
      case "request":
        return this.world.request(this)
      case "steal":
        return this.world.steal(this)
      case "look":
        return this.world.look(this)
      case "lead":
        return this.#lead(effect.how)
      case "step-down":
        this.driver = undefined
        return
      case "opened":
        return this.#onOpened()
      case "apply":
        for (const name of effect.updates.flatMap(decode)) this.shown.add(name)
        return
      case "presence":
        for (const { client, state } of effect.entries) {
          this.presence.set(client, new TextDecoder().decode(state))
        }
        return
      case "document-status":
        this.status = effect.status
        return
      case "answered":
        this.answers.push(effect.answer)
        return
      default:
        this.driver?.carryOut(effect)
    }
  }
}

/** The client's driver in the tab that leads. */
class Driver {
  readonly #tab: Tab
  /** Handed in and not in storage. */
  readonly #waiting: { readonly name: string; readonly withheld: boolean }[] = []
  /** What the held replica shows: that of the app, or one of its own. */
  #held: { shown: Set<string>; isOwn: boolean } | undefined
  #seq = 0
  #storedSeq = 0

  constructor(tab: Tab) {
    this.#tab = tab
  }

  carryOut(effect: TabEffect): void {
    const { world } = this.#tab
    switch (effect.type) {
      case "hold":
        return this.#hold()
      case "release":
        this.#held = undefined
        return
      case "switch":
        return this.#switch(effect.own)
      case "check":
        return this.#later(() => {
          const known = new Set([...world.log, ...this.#names])
          const isFresh = ({ bytes }: TabUpdate): boolean =>
            !decode(bytes).every((name) => known.has(name))
          const fresh = effect.updates.filter(isFresh).map(({ number }) => number)
          this.#tell({ type: "checked", tab: effect.tab, fresh })
        })
      case "hand-in": {
        const { bytes, withheld } = effect
        this.#waiting.push(...decode(bytes).map((name) => ({ name, withheld })))
        this.#seq += 1
        return this.#tab.do({ type: "handed", seq: this.#seq })
      }
      case "settle": {
        const held = this.#held
        return this.#later(() => {
          if (this.#held === held) this.#tell({ type: "settled", document: note })
        })
      }
      case "show":
        for (const name of effect.updates.flatMap(decode)) this.#held?.shown.add(name)
        return
      case "snapshot": {
        const { document, tab, present, reign } = effect
        const state = encode([...(this.#held?.shown ?? [])])
        const message = { type: "opened", document, state, present, reign, to: [tab] } as const
        return world.post(this.#tab, message)
      }
      case "watch":
        return world.watch(effect.tab, () => this.#tell({ type: "tab-gone", tab: effect.tab }))
      case "answer": {
        const { tab, ask } = effect
        const answer = [...world.log, ...this.#names].join(" ")
        return this.#later(() => this.#tell({ type: "answer-ready", tab, ask, answer }))
      }
      default:
    }
  }

  get #names(): string[] {
    return this.#waiting.map(({ name }) => name)
  }

  #hold(): void {
    const { isOpen, shown } = this.#tab
    const held = { shown: isOpen ? shown : new Set<string>(), isOwn: isOpen }
    this.#held = held
    this.#later(() => {
      if (this.#held !== held) return
      const pending = this.#waiting.filter(({ withheld }) => !withheld)
      for (const name of this.#tab.world.log) held.shown.add(name)
      for (const { name } of pending) held.shown.add(name)
      // A promise later.
      this.#later(() => {
        if (this.#held === held) this.#tell({ type: "held", document: note })
      })
    })
  }

  #switch(own: boolean): void {
    const held = this.#held
    const { isOpen, shown } = this.#tab
    if (held === undefined || (own && !isOpen) || (!own && !held.isOwn)) return
    if (own) for (const name of held.shown) shown.add(name)
    held.shown = own ? shown : new Set(held.shown)
    held.isOwn = own
  }

  /** Brings so many of what waits into storage; false if the driver may not work now. */
  flush(count: number): boolean {
    const { world, core } = this.#tab
    if (!core.hasLease(world.nowMs)) {
      this.#tab.do({ type: "lease-wanted" })
      return false
    }
    // Two that write at a time would spoil what both have.
    assert(world.holder === this.#tab, "written by who was robbed")
    const names = this.#waiting.splice(0, count).map(({ name }) => name)
    world.log.push(...names)
    this.#storedSeq += names.length
    this.#tell({ type: "stored", storedSeq: this.#storedSeq, safeSeq: this.#storedSeq })
    return true
  }

  #later(task: () => void): void {
    this.#tab.tasks.push(() => {
      if (this.#tab.driver === this) task()
    })
  }

  #tell(input: DriverInput): void {
    if (this.#tab.driver === this) this.#tab.do(input)
  }
}

export class World {
  nowMs = 1_000_000
  /** What is in storage, in the order in which it came there. */
  readonly log: string[] = []
  readonly tabs: Tab[] = []
  holder: Tab | undefined
  /** Told to no tab: for tests that look. */
  readonly posted: TabMessage[] = []
  #queue: Tab[] = []
  readonly #watches: { readonly name: string; readonly onGone: () => void; readonly by: Tab }[] = []

  get live(): Tab[] {
    return this.tabs.filter(({ state }) => state === "live")
  }

  add(): Tab {
    const tab = new Tab(this, `t${this.tabs.length + 1}`)
    this.tabs.push(tab)
    tab.open()
    return tab
  }

  post(from: Tab, message: TabMessage): void {
    this.posted.push(message)
    for (const tab of this.tabs) {
      if (tab === from || tab.state === "gone") continue
      const heard = tabMessageOf(structuredClone(message))
      assert(heard !== undefined, `not a message: ${message.type}`)
      tab.tasks.push(() => tab.do({ type: "heard", message: heard }))
    }
  }

  request(tab: Tab): void {
    this.#queue.push(tab)
    this.#grant()
  }

  forgo(tab: Tab): void {
    this.#queue = this.#queue.filter((other) => other !== tab)
  }

  steal(tab: Tab): void {
    const robbed = this.holder
    this.forgo(tab)
    this.holder = tab
    robbed?.tasks.push(() => robbed.do({ type: "robbed" }))
    tab.tasks.push(() => tab.do({ type: "granted", stolen: true }))
  }

  look(tab: Tab): void {
    const holds = this.holder === tab
    tab.tasks.push(() => tab.do({ type: "looked", holds }))
  }

  watch(name: string, onGone: () => void): void {
    const by = this.holder
    if (by === undefined) return
    const isGone = this.tabs.every((tab) => tab.name !== name || tab.state === "gone")
    if (isGone) by.tasks.push(onGone)
    else this.#watches.push({ name, onGone, by })
  }

  release(tab: Tab): void {
    this.forgo(tab)
    for (const { name, onGone, by } of this.#watches) if (name === tab.name) by.tasks.push(onGone)
    if (this.holder !== tab) return
    this.holder = undefined
    this.#grant()
  }

  /** Lets so much time go by, in which all tabs do what they have to do; or storage is late. */
  pass(ms: number, flushes = true): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs += 20
      for (const tab of this.tabs) tab.run()
      if (!flushes) continue
      for (const tab of this.tabs) {
        if (tab.state === "live" && tab.tasks.length === 0) tab.driver?.flush(Infinity)
      }
    }
  }

  #grant(): void {
    if (this.holder !== undefined) return
    const next = this.#queue.shift()
    if (next === undefined) return
    this.holder = next
    next.tasks.push(() => next.do({ type: "granted", stolen: false }))
  }
}
