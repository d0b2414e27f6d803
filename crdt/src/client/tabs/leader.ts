/**
 * The side of the tab that leads: it hands in what tabs type, in each tab's order and once, and
 * shows it to other tabs when it is in storage: a leader that is gone leaves nobody with content
 * that nobody sends. Its own tab is one of them. Rules [H2] [H3] [H4] [H5].
 */
import { limits } from "../../base/index.ts"
import type { DocumentId } from "../../base/index.ts"
import { isPresenceGone, presenceGone } from "../../protocol/index.ts"
import type { PresenceEntry } from "../../protocol/index.ts"
import type { DocumentStatus } from "../status.ts"
import { HandIns } from "./hand-ins.ts"
import type { HandIn } from "./hand-ins.ts"
import type { LeaderEffect } from "./tab-effect.ts"
import { tabLimits } from "./tab-limits.ts"
import type { LeaderMessage, MemberMessage, Reign, TabId, TabUpdate } from "./tab-message.ts"
import { TabSession } from "./tab-session.ts"

type Envelope = "reign" | "to"
export type LeaderBody = LeaderMessage extends infer M
  ? M extends LeaderMessage
    ? Omit<M, Envelope>
    : never
  : never
type Effects = { push(effect: LeaderEffect): unknown }
type Message<T extends MemberMessage["type"]> = Extract<MemberMessage, { readonly type: T }>

/** What the driver of the tab that leads tells. */
export type DriverInput =
  | { readonly type: "tab-gone"; readonly tab: TabId }
  | { readonly type: "held"; readonly document: DocumentId }
  | { readonly type: "hold-failed"; readonly document: DocumentId; readonly message: string }
  /** The answer to `settle`. */
  | { readonly type: "settled"; readonly document: DocumentId }
  /** Numbers of those updates that are not in storage. */
  | { readonly type: "checked"; readonly tab: TabId; readonly fresh: readonly number[] }
  /** The oldest `hand-in` that was not answered has this number in the client's outbox. */
  | { readonly type: "handed"; readonly seq: number }
  /** Refused, by its number in the outbox; or all there is of a document discarded. */
  | { readonly type: "given-up"; readonly what: number | DocumentId }
  /** Up to where the outbox is in storage, and up to where it outlives this leader. */
  | { readonly type: "stored"; readonly storedSeq: number; readonly safeSeq: number }
  /** A node's; the held replica has it. */
  | {
      readonly type: "delivered"
      readonly document: DocumentId
      readonly updates: readonly Uint8Array[]
    }
  | {
      readonly type: "presence-heard"
      readonly document: DocumentId
      readonly entries: readonly PresenceEntry[]
    }
  | {
      readonly type: "status-changed"
      readonly document: DocumentId
      readonly status: DocumentStatus
    }
  /** To one tab, or all. */
  | { readonly type: "tell"; readonly news: unknown; readonly to: TabId | undefined }
  | {
      readonly type: "answer-ready"
      readonly tab: TabId
      readonly ask: number
      readonly answer: unknown
    }

export type LeaderInput =
  | { readonly type: "message"; readonly message: MemberMessage }
  | DriverInput

type Present = {
  readonly tab: TabId | undefined
  readonly entry: PresenceEntry
  /** What leaders before may have given it. */
  readonly above: number
}

type Shared = {
  readonly document: DocumentId
  isHeld: boolean
  /** By tab, whether it has got the whole. */
  readonly tabs: Map<TabId, boolean>
  /** How often `settle` was asked for and not answered. */
  settling: number
  status: DocumentStatus | undefined
  readonly present: Map<number, Present>
}

export type LeaderOptions = {
  readonly reign: Reign
  /** The tab that leads. */
  readonly tab: TabId
  /** Whether that tab's replica shows what is not in storage. */
  readonly hasUnstored: (document: DocumentId) => boolean
  readonly post: (to: readonly TabId[], body: LeaderBody) => void
}

export class Leader {
  readonly #options: LeaderOptions
  readonly #sessions = new Map<TabId, TabSession>()
  readonly #documents = new Map<DocumentId, Shared>()
  readonly #handIns = new HandIns()
  #isClosing = false

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  /** Whether everything that the tab typed up to `number` was handed in. */
  hasHanded(tab: TabId, number: number): boolean {
    return (this.#sessions.get(tab)?.handed ?? 0) >= number
  }

  /** Tabs that follow, but for this one. */
  get followers(): number {
    return [...this.#sessions.values()].filter(({ isGone }) => !isGone).length - 1
  }

  /** From now on nothing is taken from other tabs: the next leader will. */
  close(): void {
    this.#isClosing = true
  }

  on(input: LeaderInput, effects: Effects): void {
    switch (input.type) {
      case "message":
        return this.#onMessage(input.message, effects)
      case "tab-gone":
        return this.#onGone(input.tab, effects)
      case "held":
        return this.#onHeld(input.document, effects)
      case "hold-failed":
        return this.#onHoldFailed(input.document, input.message)
      case "settled":
        return this.#onSettled(input.document, effects)
      case "checked":
        return this.#onChecked(input.tab, new Set(input.fresh), effects)
      case "handed":
        return this.#handIns.numbered(input.seq)
      case "given-up":
        return this.#handIns.giveUp(input.what)
      case "stored":
        return this.#onStored(input.storedSeq, input.safeSeq, effects)
      case "delivered":
        return this.#onDelivered(input.document, input.updates)
      case "presence-heard":
        return this.#onPresence(input.document, input.entries)
      case "status-changed":
        return this.#onStatus(input.document, input.status)
      case "tell":
        return this.#tell(input.news, input.to)
      case "answer-ready":
        return this.#onAnswer(input)
    }
  }

  #onAnswer({ tab, ask, answer }: Extract<DriverInput, { readonly type: "answer-ready" }>): void {
    this.#options.post([tab], { type: "answer", ask, answer })
  }

  #onDelivered(document: DocumentId, updates: readonly Uint8Array[]): void {
    this.#postLive(document, this.#options.tab, { type: "updates", document, updates })
  }

  #onMessage(message: MemberMessage, effects: Effects): void {
    const { tab } = message
    const isOwn = tab === this.#options.tab
    if (message.type === "ping") return this.#options.post([tab], { type: "lead" })
    if (this.#isClosing && !isOwn) return
    if (message.type === "join") return this.#onJoin(tab, effects)
    const session = this.#sessions.get(tab)
    if (session === undefined) return
    if (session.checking === undefined) this.#take(session, message, effects)
    else session.waiting.push(message)
  }

  #onJoin(tab: TabId, effects: Effects): void {
    const isOwn = tab === this.#options.tab
    if (!isOwn && this.followers >= tabLimits.tabsMax) {
      return this.#options.post([tab], { type: "crowded" })
    }
    this.#sessions.set(tab, new TabSession(tab))
    if (!isOwn) effects.push({ type: "watch", tab })
    effects.push({ type: "brief", tab })
  }

  #take(session: TabSession, message: MemberMessage, effects: Effects): void {
    switch (message.type) {
      case "update":
        if (message.update.number > session.handed) this.#handIn(session, message.update, effects)
        return
      case "again":
        session.checking = message.updates
        effects.push({ type: "check", tab: session.tab, updates: message.updates })
        return
      case "open":
        return this.#onOpen(session, message.document, effects)
      case "close":
        return this.#onClose(session, message.document, effects)
      case "say-presence":
        return this.#onSaid(session, message, effects)
      case "ask": {
        const { ask, question } = message
        effects.push({ type: "answer", tab: session.tab, ask, question })
        return
      }
      case "bye":
        return this.#onBye(session, effects)
      case "ping":
      case "join":
    }
  }

  #handIn(session: TabSession, update: TabUpdate, effects: Effects): void {
    const { document, number, generation, bytes } = update
    session.handed = number
    session.unstored.push(number)
    this.#handIns.add(session.tab, update)
    const withheld = session.tab !== this.#options.tab
    effects.push({ type: "hand-in", document, generation, bytes, withheld })
  }

  #onStored(storedSeq: number, safeSeq: number, effects: Effects): void {
    const touched = new Set<TabSession>()
    const documents = new Set<DocumentId>()
    const stored = this.#handIns.stored(storedSeq)
    for (const { tab, update } of stored) {
      const session = this.#sessions.get(tab)
      session?.unstored.shift()
      session?.unsafe.push(update.number)
      if (session !== undefined) touched.add(session)
      documents.add(update.document)
    }
    // What was given up is in no replica that was opened since, and is not to get there.
    for (const run of runsOf(stored.filter(({ isVoid }) => !isVoid))) this.#show(run, effects)
    for (const { tab } of this.#handIns.safe(safeSeq)) {
      const session = this.#sessions.get(tab)
      session?.unsafe.shift()
      if (session !== undefined) touched.add(session)
    }
    for (const session of touched) this.#keep(session)
    for (const document of documents) this.#bring(document, effects)
  }

  #show({ tab: writer, document, updates }: Run, effects: Effects): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    const own = this.#options.tab
    // Also while it is filled: it may have been read before.
    if (writer !== own) effects.push({ type: "show", document, updates })
    const live = [...shared.tabs].filter(([tab, isLive]) => isLive && tab !== writer && tab !== own)
    const to = live.map(([tab]) => tab)
    if (to.length > 0) this.#options.post(to, { type: "updates", document, updates })
  }

  #keep(session: TabSession): void {
    const kept = session.keptNews()
    if (kept !== undefined) this.#options.post([session.tab], { type: "kept", ...kept })
  }

  #onChecked(tab: TabId, fresh: ReadonlySet<number>, effects: Effects): void {
    const session = this.#sessions.get(tab)
    if (session?.checking === undefined) return
    for (const update of session.checking) {
      if (update.number <= session.handed) continue
      if (fresh.has(update.number)) this.#handIn(session, update, effects)
      else session.handed = update.number
    }
    session.checking = undefined
    this.#keep(session)
    const waiting = session.waiting.splice(0)
    for (const [index, message] of waiting.entries()) {
      this.#take(session, message, effects)
      if (session.checking === undefined) continue
      session.waiting = waiting.slice(index + 1)
      return
    }
  }

  #onOpen(session: TabSession, document: DocumentId, effects: Effects): void {
    if (session.isGone) return
    const { tab } = session
    const known = this.#documents.get(document)
    const shared = known ?? newShared(document)
    this.#documents.set(document, shared)
    shared.tabs.set(tab, false)
    if (known === undefined) effects.push({ type: "hold", document })
    else if (shared.isHeld) {
      if (tab === this.#options.tab) effects.push({ type: "switch", document, own: true })
      this.#bring(document, effects)
    }
  }

  #onHeld(document: DocumentId, effects: Effects): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    shared.isHeld = true
    effects.push({ type: "switch", document, own: shared.tabs.has(this.#options.tab) })
    for (const [client, { tab, entry, above }] of shared.present) {
      if (tab === undefined) continue
      effects.push({ type: "hand-presence", document, client, state: entry.state, above })
    }
    this.#bring(document, effects)
  }

  #onHoldFailed(document: DocumentId, message: string): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    this.#documents.delete(document)
    this.#options.post([...shared.tabs.keys()], { type: "refused", document, message })
  }

  /** The document to tabs that wait for it: this one has it, others wait until it is settled. */
  #bring(document: DocumentId, effects: Effects): void {
    const shared = this.#documents.get(document)
    if (shared?.isHeld !== true) return
    const { tab } = this.#options
    if (shared.tabs.get(tab) === false) {
      const present = this.#join(shared, tab)
      this.#options.post([tab], { type: "opened", document, state: undefined, present })
      this.#postStatus(shared, tab)
    }
    if (![...shared.tabs.values()].includes(false)) return
    shared.settling += 1
    effects.push({ type: "settle", document })
  }

  /**
   * The whole document to other tabs: not while the held replica shows what its own tab typed and
   * storage does not have, nor while it lacks what the other tab itself typed.
   */
  #onSettled(document: DocumentId, effects: Effects): void {
    const shared = this.#documents.get(document)
    // Else asked of one that was let go since.
    if (shared === undefined || shared.settling === 0) return
    shared.settling -= 1
    if (shared.settling > 0 || this.#options.hasUnstored(document)) return
    const { reign } = this.#options
    const unstored = new Set(this.#handIns.unstoredOf(document).map(({ tab }) => tab))
    for (const [tab, isLive] of shared.tabs) {
      if (isLive || unstored.has(tab)) continue
      const present = this.#join(shared, tab)
      effects.push({ type: "snapshot", document, tab, present, reign })
      this.#postStatus(shared, tab)
    }
  }

  /** Gives who else is there. */
  #join(shared: Shared, tab: TabId): PresenceEntry[] {
    shared.tabs.set(tab, true)
    return [...shared.present.values()].filter((one) => one.tab !== tab).map(({ entry }) => entry)
  }

  #onClose({ tab }: TabSession, document: DocumentId, effects: Effects): void {
    const shared = this.#documents.get(document)
    if (shared?.tabs.delete(tab) !== true) return
    if (shared.tabs.size === 0) {
      this.#documents.delete(document)
      effects.push({ type: "release", document })
      return
    }
    this.#goodbye(shared, tab, effects)
    if (shared.isHeld && tab === this.#options.tab) {
      effects.push({ type: "switch", document, own: false })
      this.#bring(document, effects)
    }
  }

  #onBye(session: TabSession, effects: Effects): void {
    for (const document of this.#documents.keys()) this.#onClose(session, document, effects)
    this.#sessions.delete(session.tab)
  }

  /** What it said last may come later than that it is gone. */
  #onGone(tab: TabId, effects: Effects): void {
    const session = this.#sessions.get(tab)
    if (session === undefined) return
    session.isGone = true
    for (const document of this.#documents.keys()) this.#onClose(session, document, effects)
    const gone = [...this.#sessions.values()].filter(({ isGone }) => isGone)
    const [oldest] = gone
    if (gone.length > tabLimits.tabsMax && oldest !== undefined) this.#sessions.delete(oldest.tab)
  }

  #onSaid(
    { tab }: TabSession,
    { document, client, state, above }: Message<"say-presence">,
    effects: Effects,
  ): void {
    const shared = this.#documents.get(document)
    if (shared?.tabs.has(tab) !== true) return
    const known = shared.present.get(client)
    if (known === undefined && shared.present.size >= limits.presenceClientsMax) return
    const entry = { client, clock: (known?.entry.clock ?? 0) + 1, state }
    if (isPresenceGone(state)) shared.present.delete(client)
    else shared.present.set(client, { tab, entry, above })
    if (shared.isHeld) effects.push({ type: "hand-presence", document, client, state, above })
    this.#postLive(document, tab, { type: "presence", document, entries: [entry] })
  }

  #goodbye(shared: Shared, tab: TabId, effects: Effects): void {
    const { document } = shared
    for (const [client, present] of shared.present) {
      if (present.tab !== tab) continue
      shared.present.delete(client)
      const entry = { client, clock: present.entry.clock + 1, state: presenceGone }
      if (shared.isHeld) {
        const { above } = present
        effects.push({ type: "hand-presence", document, client, state: presenceGone, above })
      }
      this.#postLive(document, tab, { type: "presence", document, entries: [entry] })
    }
  }

  #onPresence(document: DocumentId, entries: readonly PresenceEntry[]): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    // Of a tab that led before, nodes have what they were told then, and take it back some time.
    const others = entries.filter(({ client }) => shared.present.get(client)?.tab === undefined)
    for (const entry of others) {
      if (isPresenceGone(entry.state)) shared.present.delete(entry.client)
      else shared.present.set(entry.client, { tab: undefined, entry, above: 0 })
    }
    if (others.length === 0) return
    this.#postLive(document, undefined, { type: "presence", document, entries: others })
  }

  #onStatus(document: DocumentId, status: DocumentStatus): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    shared.status = status
    for (const tab of shared.tabs.keys()) this.#postStatus(shared, tab)
  }

  #postStatus({ document, status }: Shared, tab: TabId): void {
    if (status === undefined) return
    const seen = this.#sessions.get(tab)?.handed ?? 0
    this.#options.post([tab], { type: "status", document, status, seen })
  }

  #tell(news: unknown, to: TabId | undefined): void {
    for (const { tab, handed, isGone } of this.#sessions.values()) {
      if (isGone || (to !== undefined && to !== tab)) continue
      this.#options.post([tab], { type: "news", news, seen: handed })
    }
  }

  #postLive(document: DocumentId, except: TabId | undefined, body: LeaderBody): void {
    const shared = this.#documents.get(document)
    if (shared === undefined) return
    const to = [...shared.tabs].flatMap(([tab, isLive]) => (isLive && tab !== except ? tab : []))
    if (to.length > 0) this.#options.post(to, body)
  }
}

/** Updates of one document by one tab, one after the other. */
type Run = { readonly tab: TabId; readonly document: DocumentId; readonly updates: Uint8Array[] }

function runsOf(handIns: readonly HandIn[]): Run[] {
  const runs: Run[] = []
  for (const { tab, update } of handIns) {
    const { document, bytes } = update
    const last = runs.at(-1)
    if (last?.tab === tab && last.document === document) last.updates.push(bytes)
    else runs.push({ tab, document, updates: [bytes] })
  }
  return runs
}

function newShared(document: DocumentId): Shared {
  const tabs = new Map<TabId, boolean>()
  const present = new Map<number, Present>()
  return { document, isHeld: false, tabs, settling: 0, status: undefined, present }
}
