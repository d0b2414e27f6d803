/**
 * One tab among those that share a client: who holds the lock leads, with the driver, its storage
 * and its socket; all others follow. A synchronous state machine (docs/architecture.md §3). What a
 * leader does it does under a lease: its last look that it still had the lock is no older than
 * `leaseMs`. Rules [H1]–[H10].
 */
import type { DocumentId, Millis } from "../../base/index.ts"
import { Election } from "./election.ts"
import { Leader } from "./leader.ts"
import type { DriverInput, LeaderBody, LeaderInput } from "./leader.ts"
import { Member } from "./member.ts"
import type { LeadHow, TabEffect, Uncounted } from "./tab-effect.ts"
import { tabLimits } from "./tab-limits.ts"
import type { LeaderMessage, MemberMessage, TabId, TabMessage } from "./tab-message.ts"

export type TabInput =
  // What the app of this tab does.
  | { readonly type: "open"; readonly document: DocumentId }
  | { readonly type: "close"; readonly document: DocumentId }
  | { readonly type: "local-update"; readonly document: DocumentId; readonly bytes: Uint8Array }
  | {
      readonly type: "local-presence"
      readonly document: DocumentId
      readonly client: number
      readonly state: Uint8Array
    }
  | { readonly type: "heard"; readonly message: TabMessage }
  /** Answered by `answered`; asked again of each leader until then. */
  | { readonly type: "ask"; readonly ask: number; readonly question: unknown }
  /** The lock is this tab's; `stolen`: it was taken from another. */
  | { readonly type: "granted"; readonly stolen: boolean }
  | { readonly type: "robbed" }
  /** The host has no locks for this tab. */
  | { readonly type: "not-allowed" }
  | { readonly type: "looked"; readonly holds: boolean }
  /** The driver wants to work, and the lease is over. */
  | { readonly type: "lease-wanted" }
  | { readonly type: "deadline" }
  | DriverInput

type AppInput = "open" | "close" | "local-update" | "local-presence" | "ask"

type Role =
  | { readonly state: "following"; readonly election: Election }
  /** It had the lock, and looks again: it robbed another, as others may have, or it slept. */
  | { readonly state: "waiting"; readonly how: LeadHow; readonly leadAtMs: Millis }
  /** `lookedAtMs`: Infinity for one that shares nothing. */
  | { readonly state: "leading"; readonly leader: Leader; lookedAtMs: Millis }
  | { readonly state: "left" }

export class TabsCore {
  readonly #member: Member
  readonly #reignPrefix: string
  #reigns = 0
  #role: Role
  /** For the leader of this very tab, once it has the lease. */
  readonly #work: LeaderInput[] = []
  #askedAtMs: Millis | undefined
  #steppedMs: Millis
  /** When it did something again after a time without. */
  #wokeMs: Millis = -Infinity
  /** Of the step that is being taken. */
  #effects: TabEffect[] = []

  constructor(tab: TabId, nowMs: Millis, effects: TabEffect[]) {
    this.#reignPrefix = `${tab}#`
    this.#member = new Member(tab, (message) => this.#send(message))
    this.#role = { state: "following", election: new Election(nowMs) }
    this.#steppedMs = nowMs
    effects.push({ type: "request" })
  }

  get tab(): TabId {
    return this.#member.tab
  }

  get isLeading(): boolean {
    return this.#role.state === "leading"
  }

  /** Tabs that follow this one. */
  get followers(): number {
    return this.#role.state === "leading" ? this.#role.leader.followers : 0
  }

  /** What this tab typed and its leader does not count. */
  get uncounted(): Uncounted {
    return this.#member.outbox.uncounted
  }

  /** Whether this tab typed there what its leader does not count. */
  isAhead(document: DocumentId): boolean {
    return this.#member.outbox.uncountedOf(document) > 0
  }

  /** Whether all that this tab typed is where it may be left: in storage, or at its own driver. */
  get isSettled(): boolean {
    const { last, stored, isEmpty } = this.#member.outbox
    if (isEmpty) return true
    if (this.#role.state === "leading") return this.#role.leader.hasHanded(this.tab, last)
    return this.#member.reign !== undefined && stored >= last
  }

  /** Whether the driver may work now; if not, `lease-wanted` asks for it. */
  hasLease(nowMs: Millis): boolean {
    return this.#role.state === "leading" && nowMs - this.#role.lookedAtMs <= tabLimits.leaseMs
  }

  step(input: TabInput, nowMs: Millis, effects: TabEffect[]): void {
    if (this.#role.state === "left") return
    this.#effects = effects
    if (nowMs - this.#steppedMs > tabLimits.leaseMs) this.#wokeMs = nowMs
    this.#steppedMs = nowMs
    this.#on(input, nowMs, effects)
    this.#settle(nowMs, effects)
  }

  /** Takes nothing from others any more, which the next leader will. */
  closing(): void {
    if (this.#role.state === "leading") this.#role.leader.close()
  }

  /** The lock is free for others after this. */
  leave(effects: TabEffect[]): void {
    this.#effects = effects
    this.#member.leave()
    this.#work.length = 0
    this.#role = { state: "left" }
  }

  nextDeadline(): { readonly atMs: Millis; readonly reason: string } | undefined {
    const role = this.#role
    if (role.state === "following") return { atMs: role.election.nextDeadlineMs, reason: "ping" }
    return role.state === "waiting" ? { atMs: role.leadAtMs, reason: "lead" } : undefined
  }

  #on(input: TabInput, nowMs: Millis, effects: TabEffect[]): void {
    switch (input.type) {
      case "open":
      case "close":
      case "local-update":
      case "local-presence":
      case "ask":
        return this.#onApp(input, effects)
      case "heard":
        return this.#onHeard(input.message, nowMs, effects)
      case "granted":
        return this.#onGranted(input.stolen, nowMs, effects)
      case "robbed":
        return this.#onRobbed(nowMs, effects)
      case "not-allowed":
        return this.#lead("unshared", nowMs, Infinity, effects)
      case "looked":
        return this.#onLooked(input.holds, nowMs, effects)
      case "lease-wanted":
        return this.#look(nowMs, effects)
      case "deadline":
        return this.#onDeadline(nowMs, effects)
      default:
        if (this.#role.state === "leading") this.#work.push(input)
    }
  }

  #onApp(input: Extract<TabInput, { readonly type: AppInput }>, effects: TabEffect[]): void {
    switch (input.type) {
      case "open":
        return this.#member.open(input.document)
      case "close":
        return this.#member.close(input.document)
      case "local-update":
        return this.#member.type(input.document, input.bytes, effects)
      case "local-presence":
        return this.#member.be(input.document, input.client, input.state)
      case "ask":
        return this.#member.ask(input.ask, input.question)
    }
  }

  #onHeard(message: TabMessage, nowMs: Millis, effects: TabEffect[]): void {
    const role = this.#role
    if ("tab" in message) {
      const isMine = message.reign === undefined || message.reign === this.#member.reign
      if (role.state === "leading" && isMine) this.#work.push({ type: "message", message })
      return
    }
    if (role.state !== "following" || message.to?.includes(this.tab) === false) return
    if (message.type === "lead") this.#member.follow(message.reign, nowMs, effects)
    if (message.reign !== this.#member.reign) return
    role.election.heard()
    if (message.type === "crowded") this.#lead("crowded", nowMs, Infinity, effects)
    else this.#member.receive(message, effects)
  }

  #onGranted(stolen: boolean, nowMs: Millis, effects: TabEffect[]): void {
    if (this.#role.state === "leading") return
    this.#member.unfollow()
    // Who slept may hear of it long after it was given, and taken away again.
    const isOld = nowMs - this.#wokeMs <= tabLimits.silentMs
    if (!stolen && !isOld) return this.#lead("shared", nowMs, nowMs, effects)
    const leadAtMs = nowMs + tabLimits.graceMs
    this.#role = { state: "waiting", how: stolen ? "stolen" : "shared", leadAtMs }
  }

  #onRobbed(nowMs: Millis, effects: TabEffect[]): void {
    const { state } = this.#role
    if (state !== "leading" && state !== "waiting") return
    this.#work.length = 0
    this.#askedAtMs = undefined
    this.#member.unfollow()
    this.#role = { state: "following", election: new Election(nowMs) }
    if (state === "leading") effects.push({ type: "step-down" })
    effects.push({ type: "request" })
  }

  #onLooked(holds: boolean, nowMs: Millis, effects: TabEffect[]): void {
    const askedAtMs = this.#askedAtMs
    this.#askedAtMs = undefined
    if (!holds) return this.#onRobbed(nowMs, effects)
    // As of when it was asked: the tab may have slept since.
    if (askedAtMs === undefined) return
    if (this.#role.state === "leading") this.#role.lookedAtMs = askedAtMs
    else if (this.#role.state === "waiting") this.#lead(this.#role.how, nowMs, askedAtMs, effects)
  }

  #onDeadline(nowMs: Millis, effects: TabEffect[]): void {
    const role = this.#role
    if (role.state === "waiting" && nowMs >= role.leadAtMs) {
      this.#role = { ...role, leadAtMs: nowMs + tabLimits.graceMs }
      this.#look(nowMs, effects)
    }
    if (role.state !== "following") return
    const what = role.election.deadline(nowMs)
    if (what === "steal") effects.push({ type: "steal" })
    else if (what === "ping") {
      const { tab, reign } = this.#member
      effects.push({ type: "post", message: { type: "ping", tab, reign } })
    }
  }

  #lead(how: LeadHow, nowMs: Millis, lookedAtMs: Millis, effects: TabEffect[]): void {
    this.#reigns += 1
    const reign = `${this.#reignPrefix}${this.#reigns}`
    const leader = new Leader({
      reign,
      tab: this.tab,
      hasUnstored: (document) => this.#member.outbox.hasUnstored(document),
      post: (to, body) => this.#post(reign, to, body),
    })
    this.#role = { state: "leading", leader, lookedAtMs }
    effects.push({ type: "lead", how })
    if (lookedAtMs < Infinity)
      effects.push({ type: "post", message: { type: "lead", reign, to: undefined } })
    this.#member.follow(reign, nowMs, effects)
  }

  /** Works for as long as the lease is good, or asks for it. */
  #settle(nowMs: Millis, effects: TabEffect[]): void {
    while (this.#role.state === "leading") {
      const [input] = this.#work
      if (input === undefined) return
      if (!this.hasLease(nowMs)) return this.#look(nowMs, effects)
      this.#work.shift()
      this.#role.leader.on(input, effects)
    }
  }

  #look(nowMs: Millis, effects: TabEffect[]): void {
    const { state } = this.#role
    if ((state !== "leading" && state !== "waiting") || this.#askedAtMs !== undefined) return
    this.#askedAtMs = nowMs
    effects.push({ type: "look" })
  }

  /** From this tab's member to who leads. */
  #send(message: MemberMessage): void {
    if (this.#role.state === "leading") this.#work.push({ type: "message", message })
    else this.#effects.push({ type: "post", message })
  }

  /** From this tab's leader. */
  #post(reign: string, to: readonly TabId[], body: LeaderBody): void {
    const others = to.filter((tab) => tab !== this.tab)
    if (others.length > 0) {
      // cast: a body is one of LeaderMessage's without these two fields.
      const message = { ...body, reign, to: others } as LeaderMessage
      this.#effects.push({ type: "post", message })
    }
    if (others.length < to.length) this.#member.receive({ ...body, reign, to }, this.#effects)
  }
}
