/**
 * One tab's side of the protocol between tabs, whoever leads: its documents, what it typed and is
 * not safe, who it is in them, and what it asked. All of it is told again to each new leader, in an
 * order in which nothing that was typed is missed by what follows. Rules [H3] [H4] [H6] [H10].
 */
import type { DocumentId, Millis } from "../../base/index.ts"
import { isPresenceGone, presenceGone } from "../../protocol/index.ts"
import type { PresenceEntry } from "../../protocol/index.ts"
import type { DocumentStatus, TierState } from "../status.ts"
import type { MemberEffect } from "./tab-effect.ts"
import type { LeaderMessage, MemberMessage, Reign, TabId } from "./tab-message.ts"
import { TabOutbox } from "./tab-outbox.ts"

/** More than one leader ever gives a state. */
const presenceClocks = 2 ** 20

type Envelope = "tab" | "reign"
type Body<M> = M extends MemberMessage ? Omit<M, Envelope> : never
type Effects = { push(effect: MemberEffect): unknown }

type Held = {
  isOpen: boolean
  /** The leader's, which counts nothing that it has not seen. */
  status: DocumentStatus | undefined
  /** Who this tab is in it. */
  own: { readonly client: number; readonly state: Uint8Array } | undefined
  readonly others: Set<number>
  /** What came before the whole from this leader, who looked before who is there; by client. */
  early: Map<number, PresenceEntry> | undefined
}

export class Member {
  readonly tab: TabId
  readonly outbox = new TabOutbox()
  readonly #send: (message: MemberMessage) => void
  readonly #documents = new Map<DocumentId, Held>()
  readonly #asks = new Map<number, unknown>()
  #reign: Reign | undefined
  #reigns = 0

  constructor(tab: TabId, send: (message: MemberMessage) => void) {
    this.tab = tab
    this.#send = send
  }

  get reign(): Reign | undefined {
    return this.#reign
  }

  /** Its leader lost its place; another will say so. */
  unfollow(): void {
    this.#reign = undefined
  }

  follow(reign: Reign, nowMs: Millis, effects: Effects): void {
    if (reign === this.#reign) return
    this.#reign = reign
    this.#reigns += 1
    this.#age(nowMs, effects)
    this.outbox.restart()
    this.#say({ type: "join" })
    // First: what follows may look at what is stored.
    for (const updates of this.outbox.lists()) this.#say({ type: "again", updates })
    for (const [document, held] of this.#documents) {
      if (isDead(held)) continue
      held.early = new Map()
      this.#say({ type: "open", document })
      this.#sayPresence(document, held)
    }
    for (const [ask, question] of this.#asks) this.#say({ type: "ask", ask, question })
    this.#tellUncounted(effects)
  }

  /** What the leader before said was live is not, until the new one says so. */
  #age(nowMs: Millis, effects: Effects): void {
    for (const [document, held] of this.#documents) {
      if (held.status?.freshness.state !== "live") continue
      held.status = { ...held.status, freshness: { state: "stale", sinceMs: nowMs } }
      this.#tellStatus(document, effects)
    }
  }

  open(document: DocumentId): void {
    const others = new Set<number>()
    const early = new Map<number, PresenceEntry>()
    this.#documents.set(document, {
      isOpen: false,
      status: undefined,
      own: undefined,
      others,
      early,
    })
    this.#say({ type: "open", document })
  }

  close(document: DocumentId): void {
    if (this.#documents.delete(document)) this.#say({ type: "close", document })
  }

  type(document: DocumentId, bytes: Uint8Array, effects: Effects): void {
    const generation = this.#documents.get(document)?.status?.generation ?? 0
    const update = this.outbox.add(document, generation, bytes)
    this.#tellUncounted(effects)
    this.#tellStatus(document, effects)
    this.#say({ type: "update", update })
  }

  be(document: DocumentId, client: number, state: Uint8Array): void {
    const held = this.#documents.get(document)
    if (held === undefined) return
    held.own = { client, state }
    this.#sayPresence(document, held)
  }

  ask(ask: number, question: unknown): void {
    this.#asks.set(ask, question)
    this.#say({ type: "ask", ask, question })
  }

  leave(): void {
    this.#say({ type: "bye" })
    this.#reign = undefined
  }

  receive(message: LeaderMessage, effects: Effects): void {
    if (message.reign !== this.#reign) return
    switch (message.type) {
      case "opened":
        return this.#onOpened(message, effects)
      case "updates":
        if (this.#documents.get(message.document)?.isOpen !== true) return
        effects.push({ type: "apply", document: message.document, updates: message.updates })
        return
      case "presence":
        return this.#onPresence(message.document, message.entries, effects)
      case "status":
        return this.#onStatus(message, effects)
      case "kept":
        this.outbox.kept(message.stored, message.safe)
        this.#tellUncounted(effects)
        return
      case "news":
        if (this.outbox.seen(message.seen)) this.#tellUncounted(effects)
        effects.push({ type: "news", news: message.news })
        return
      default:
        return this.#onReply(message, effects)
    }
  }

  #onReply(message: LeaderMessage, effects: Effects): void {
    if (message.type === "refused") {
      const { type, document } = message
      if (this.#documents.delete(document)) {
        effects.push({ type, document, message: message.message })
      }
    } else if (message.type === "answer" && this.#asks.delete(message.ask)) {
      effects.push({ type: "answered", ask: message.ask, answer: message.answer })
    }
  }

  #onOpened(
    { document, state, present }: Extract<LeaderMessage, { readonly type: "opened" }>,
    effects: Effects,
  ): void {
    const held = this.#documents.get(document)
    if (held === undefined) return
    if (state !== undefined) effects.push({ type: "apply", document, updates: [state] })
    if (!held.isOpen) effects.push({ type: "opened", document })
    held.isOpen = true
    const early = [...(held.early?.values() ?? [])]
    held.early = undefined
    const here = new Set(present.map(({ client }) => client))
    const gone = [...held.others].filter((client) => !here.has(client))
    const entries = gone.map((client) => ({ client, clock: 0, state: presenceGone }))
    this.#onPresence(document, [...entries, ...present, ...early], effects)
    this.#tellStatus(document, effects)
  }

  #onPresence(document: DocumentId, entries: readonly PresenceEntry[], effects: Effects): void {
    const held = this.#documents.get(document)
    if (held === undefined) return
    if (held.early !== undefined) {
      for (const entry of entries) held.early.set(entry.client, entry)
      return
    }
    // A node may still have what this tab said through the leader before.
    const news = entries.filter(({ client }) => client !== held.own?.client)
    for (const { client, state } of news) {
      if (isPresenceGone(state)) held.others.delete(client)
      else held.others.add(client)
    }
    if (news.length > 0) effects.push({ type: "presence", document, entries: news })
  }

  #onStatus(
    { document, status, seen }: Extract<LeaderMessage, { readonly type: "status" }>,
    effects: Effects,
  ): void {
    const held = this.#documents.get(document)
    if (this.outbox.seen(seen)) this.#tellUncounted(effects)
    if (held === undefined || isDead(held)) return
    held.status = status
    this.#tellStatus(document, effects)
  }

  /** The leader's status, and what it does not know of. */
  #tellStatus(document: DocumentId, effects: Effects): void {
    const held = this.#documents.get(document)
    if (held?.status === undefined || !held.isOpen) return
    const count = this.outbox.uncountedOf(document)
    const { status } = held
    const told = count === 0 ? status : uncounted(status, count)
    effects.push({ type: "document-status", document, status: told })
  }

  #tellUncounted(effects: Effects): void {
    effects.push({ type: "uncounted", uncounted: this.outbox.uncounted })
  }

  #sayPresence(document: DocumentId, { own }: Held): void {
    // Those who heard of it under a leader before take nothing that is not above that.
    const above = Math.max(0, this.#reigns - 1) * presenceClocks
    if (own !== undefined) this.#say({ type: "say-presence", document, ...own, above })
  }

  #say(body: Body<MemberMessage>): void {
    if (this.#reign !== undefined) this.#send({ ...body, tab: this.tab, reign: this.#reign })
  }
}

/** As the leader's own status will be once it has seen `count` more. */
function uncounted(status: DocumentStatus, count: number): DocumentStatus {
  const later = (tier: TierState): TierState => {
    return tier.state === "saved" ? { state: "pending", connected: true, waitingFor: [] } : tier
  }
  const { pending, quorum, all } = status
  const tiers = { quorum: later(quorum), all: later(all) }
  return { ...status, ...tiers, pending: pending + count, savedTo: "memory" }
}

/** What was deleted stays so for its handles; a fresh one is of whatever is there. Rule [R7]. */
function isDead({ status }: Held): boolean {
  return status?.error?.code === "document-deleted"
}
