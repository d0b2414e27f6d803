/**
 * Acks beyond this node's own disk. A client's updates stand within heads of logs; they are at a
 * tier once so many active members hold these logs that far, as their vectors on links that are
 * up now say, and this node itself does. Nothing is kept about a peer, and a member stops counting
 * only by being retired, so an ack can be late but not early. Rules [T1]–[T7], [N15]–[N17].
 */
import type { ClientId, ConnectionId, Millis, NodeId, OriginId } from "../base/index.ts"
import { limits, nodeOfOrigin } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import {
  encodeAck,
  encodeLogged,
  encodeTierStatus,
  linkTags,
  tierMembersMax,
} from "../protocol/index.ts"
import type { MissingMember, WantTier } from "../protocol/index.ts"
import { Agreements } from "./agreements.ts"
import type { NativeConnection, NumberRange } from "./connections.ts"
import type { Core } from "./core.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** Lumps of one client that wait. Past it: the newest ones wait as one. */
const lumpsMax = 1024
/** Clients of which numbers were passed over. Past it the least recent are forgotten. */
const passedOverMax = 4096
/** What waits for less is no news. */
const newsMs = 1000
/** So long must everybody agree that something is lost whose log nobody writes any more … */
const lostMs = 5000
/** … or whose writer says that it has less: its disk was put back, or it has yet to say so. */
const putBackMs = limits.linkSilentMs + lostMs

/** Heads, and which peers are known to hold all of them. */
type Needs = {
  readonly heads: readonly (readonly [OriginId, Head])[]
  /** The client's numbers are in this node's log: below a floor nothing else tells whose it is. */
  readonly isLogged: boolean
  isHere: boolean
  readonly coveredBy: WeakSet<Link>
}

/** Updates up to `seq`, after those of the lump before, stand within `needs`. */
type Lump = {
  readonly seq: number
  readonly needs: Needs
  readonly sinceMs: Millis
  /** Since when all members agree that nobody has what it needs. */
  lostMs: Millis | undefined
}

type Want = {
  readonly tier: "quorum" | "all"
  reached: number
  lostTo: number
  readonly lumps: Lump[]
  /** What the client was told it waits for. */
  said: string
}

type Client = { readonly connection: NativeConnection; readonly wants: Map<string, Want> }

type Roster = {
  readonly turn: Turn
  readonly active: readonly NodeId[]
  readonly unknown: number
  readonly quorum: number
}

/** Whom links lead to. */
export interface Peers {
  linkedTo(node: NodeId): Link | undefined
  readonly dials: {
    all(): Iterable<{
      readonly address: string
      readonly node: NodeId | undefined
      readonly isLearnt: boolean
      readonly state: { readonly state: string }
    }>
  }
}

/** Where what a commit made durable stands, and the frame that says so. */
export type Place = { readonly frame: Uint8Array; readonly needs: Needs }

export class Tiers {
  readonly #core: Core
  readonly #peers: Peers
  readonly #agreements: Agreements
  readonly #clients = new Map<ConnectionId, Client>()
  /** Those that may have something waiting. */
  readonly #waiting = new Set<Client>()
  #roster: Roster | undefined
  readonly #startedMs: Millis
  /** When a member was linked last, as far as sweeps saw. */
  readonly #seenMs = new Map<string, Millis>()
  /**
   * Numbers of clients that were not known here when higher ones were logged. On a log that was
   * put back nothing else tells of them, once its hashes are folded away.
   */
  readonly #passedOver = new Map<ClientId, NumberRange>()

  constructor(core: Core, peers: Peers, nowMs: Millis) {
    this.#core = core
    this.#peers = peers
    this.#startedMs = nowMs
    this.#agreements = new Agreements(core, (turn) => this.review(turn))
  }

  /** The client wants to know where its updates are, and of a tier. */
  onWant(turn: Turn, connection: NativeConnection, message: WantTier): void {
    const { tier, fromSeq, marks } = message
    const isFirst = !connection.isTold
    connection.isTold = true
    const here = lumpOf(turn, connection.ackedSeq, this.#allHere())
    if (tier === "node") {
      // Once is enough: it may be long.
      if (here.seq < fromSeq || !isFirst) return
      const frame = encodeLogged({ type: "logged", heads: new Map(here.needs.heads) })
      turn.send(connection.id, frame)
      return
    }
    const lumps = marks.map(({ toSeq, heads }) => {
      const isLogged = toSeq <= connection.ackedSeq && !this.#isPassedOver(connection, toSeq)
      return lumpOf(turn, toSeq, { ...needsOf([...heads], false), isLogged })
    })
    // Acked by this node since the client said so, or before it knew.
    if (here.seq > (lumps.at(-1)?.seq ?? fromSeq - 1)) lumps.push(here)
    const want: Want = { tier, reached: 0, lostTo: 0, lumps, said: "" }
    const client = this.#clients.get(connection.id) ?? { connection, wants: new Map() }
    this.#clients.set(connection.id, client)
    client.wants.set(tier, want)
    this.#waiting.add(client)
    this.#advance(turn, client, want)
    this.#say(turn, client, want, true)
  }

  /** An update was logged whose number is higher than some that this node does not know. */
  notePassedOver({ phase, unknown }: NativeConnection): void {
    if (phase.phase !== "ready" || isEmpty(unknown)) return
    const { client } = phase
    const { after, before } = this.#passedOver.get(client) ?? unknown
    this.#passedOver.delete(client)
    this.#passedOver.set(client, {
      after: Math.min(after, unknown.after),
      before: Math.max(before, unknown.before),
    })
    if (this.#passedOver.size <= passedOverMax) return
    for (const oldest of this.#passedOver.keys()) {
      this.#passedOver.delete(oldest)
      return
    }
  }

  /** Whether no higher number says that this one is known here. */
  #isPassedOver({ phase, unknown }: NativeConnection, seq: number): boolean {
    const before = phase.phase === "ready" ? this.#passedOver.get(phase.client) : undefined
    return isIn(unknown, seq) || (before !== undefined && isIn(before, seq))
  }

  #allHere(): Needs {
    const heads = [...this.#core.holdings.heads()].filter(([, { seq }]) => seq > 0)
    return needsOf(heads, true)
  }

  onClosed(connection: ConnectionId): void {
    const client = this.#clients.get(connection)
    this.#clients.delete(connection)
    if (client !== undefined) this.#waiting.delete(client)
  }

  /** A commit is durable: where it stands, for all who are told. */
  place(): Place {
    const { config, holdings } = this.#core
    const own = holdings.head(config.origin)
    this.#agreements.noteOwn(own)
    const frame = encodeLogged({ type: "logged", heads: new Map([[config.origin, own]]) })
    return { frame, needs: needsOf([[config.origin, own]], true) }
  }

  /** The same for updates of which a part stands in other logs that this node holds. */
  placeOfAll(): Place {
    const needs = this.#allHere()
    const frame = encodeLogged({ type: "logged", heads: new Map(needs.heads) })
    return { frame, needs }
  }

  /** Updates of the connection up to `seq` were acked, and stand at `place`. */
  onAcked(turn: Turn, connection: ConnectionId, seq: number, { needs }: Place): void {
    const client = this.#clients.get(connection)
    if (client === undefined) return
    this.#waiting.add(client)
    for (const { lumps } of client.wants.values()) {
      const last = lumps.length >= lumpsMax ? lumps.pop() : undefined
      const both = last === undefined ? needs : bothOf(last.needs, needs)
      lumps.push(lumpOf(turn, seq, both))
    }
  }

  /** A peer said something: its vector, perhaps. */
  onLinkFrame(turn: Turn, frame: Uint8Array): void {
    if (frame[0] !== linkTags.entries) this.review(turn)
  }

  /** A commit is durable; `isMore`: it has more than own updates. Alone, a node is everybody. */
  onCommitted(turn: Turn, isMore: boolean): void {
    if (this.#waiting.size === 0) return
    if (isMore || this.#core.members.count === 1) this.review(turn)
  }

  /** Something changed: members, links, what they hold or what this node holds. */
  review(turn: Turn): void {
    for (const client of this.#waiting) {
      let isWaiting = false
      for (const want of client.wants.values()) {
        this.#advance(turn, client, want)
        isWaiting ||= want.lumps.length > 0
      }
      if (!isWaiting) this.#waiting.delete(client)
    }
  }

  #advance(turn: Turn, { connection }: Client, want: Want): void {
    const before = want.reached
    for (let lump = want.lumps[0]; lump !== undefined; lump = want.lumps[0]) {
      if (!this.#isReached(turn, lump.needs, want.tier)) break
      want.reached = lump.seq
      want.lumps.shift()
    }
    if (want.lumps.length === 0) want.said = ""
    if (want.reached === before) return
    const { tier, reached } = want
    turn.send(connection.id, encodeAck({ type: "ack", tier, seq: reached, marks: [] }))
  }

  #isReached(turn: Turn, needs: Needs, tier: Want["tier"]): boolean {
    if (!this.#isHere(turn, needs)) return false
    const { active, unknown, quorum } = this.#rosterOf(turn)
    let holders = 0
    for (const node of active) {
      if (node === this.#core.config.node || this.#isHeldBy(turn, node, needs)) holders += 1
    }
    return tier === "all" ? holders === active.length && unknown === 0 : holders >= quorum
  }

  /** Looked up once a turn, as many clients may wait. */
  #rosterOf(turn: Turn): Roster {
    if (this.#roster?.turn !== turn) {
      const { members } = this.#core
      const active = members.active()
      this.#roster = { turn, active, unknown: members.unknown, quorum: members.quorum }
    }
    return this.#roster
  }

  #isHere(turn: Turn, needs: Needs): boolean {
    if (needs.isHere) return true
    for (const [origin, head] of needs.heads) {
      if (this.#isHeldHere(turn, needs, origin, head) !== "yes") return false
    }
    needs.isHere = true
    return true
  }

  #isHeldHere(turn: Turn, { isLogged }: Needs, origin: OriginId, head: Head) {
    const held = this.#agreements.isHeld(turn, origin, head)
    if (held !== "folded") return held
    return isLogged ? "yes" : "no"
  }

  #isHeldBy(turn: Turn, node: NodeId, needs: Needs): boolean {
    const link = this.#peers.linkedTo(node)
    if (link === undefined) return false
    if (needs.coveredBy.has(link)) return true
    for (const [origin, { seq }] of needs.heads) {
      if (!this.#agreements.isCovered(turn, link, origin, seq)) return false
    }
    needs.coveredBy.add(link)
    return true
  }

  sweep(turn: Turn): void {
    for (const node of this.#core.members.active()) {
      if (this.#peers.linkedTo(node) !== undefined) this.#seenMs.set(node, turn.nowMs)
    }
    for (const client of this.#clients.values()) {
      for (const want of client.wants.values()) {
        this.#advance(turn, client, want)
        this.#findLost(turn, client, want)
        this.#say(turn, client, want, false)
      }
    }
  }

  /** What nobody has any more must not hold up what comes after it; all of it goes at once. */
  #findLost(turn: Turn, client: Client, want: Want): void {
    const lost = new Set(want.lumps.filter((lump) => this.#isLost(turn, lump)))
    for (let lump = want.lumps[0]; lump !== undefined && lost.has(lump); lump = want.lumps[0]) {
      want.lostTo = lump.seq
      want.lumps.shift()
      const [next] = want.lumps
      if (next !== undefined && lost.has(next)) continue
      // First, as an ack of what comes after it would cover it.
      this.#say(turn, client, want, true)
      this.#advance(turn, client, want)
    }
  }

  #isLost(turn: Turn, lump: Lump): boolean {
    const afterMs = this.#lostAfter(turn, lump.needs)
    lump.lostMs = afterMs === Infinity ? undefined : (lump.lostMs ?? turn.nowMs)
    return lump.lostMs !== undefined && turn.nowMs - lump.lostMs >= afterMs
  }

  /** For how long all has to stay as it is for one of these heads to be lost. Rule [T6]. */
  #lostAfter(turn: Turn, needs: Needs): Millis {
    const links = needs.isHere ? undefined : this.#allLinks(turn)
    if (links === undefined) return Infinity
    let afterMs = Infinity
    for (const [origin, head] of needs.heads) {
      if (this.#isHeldHere(turn, needs, origin, head) !== "no") continue
      const isElsewhere = links.some((link) => {
        const theirs = link.heads.get(origin)?.seq ?? 0
        return theirs >= head.seq && !this.#agreements.isCovered(turn, link, origin, head.seq)
      })
      if (!isElsewhere) afterMs = Math.min(afterMs, this.#isOver(origin) ? lostMs : putBackMs)
    }
    return afterMs
  }

  /** To every other member; undefined if one is not linked, or has not said what it holds. */
  #allLinks(turn: Turn): Link[] | undefined {
    const { members, config } = this.#core
    if (members.unknown > 0) return undefined
    const links: Link[] = []
    for (const node of members.active()) {
      if (node === config.node) continue
      const link = this.#peers.linkedTo(node)
      // Its first vector is whole; from a peer that has nothing none comes.
      const isTold = link !== undefined && (link.heads.size > 0 || isOld(turn, link.openedMs))
      if (!isTold) return undefined
      links.push(link)
    }
    return links
  }

  /** Nobody writes that log any more. */
  #isOver(origin: OriginId): boolean {
    const { config, members } = this.#core
    const node = nodeOfOrigin(origin)
    if (origin === config.origin) return false
    if (node === config.node || members.isRetired(origin)) return true
    const link = this.#peers.linkedTo(node)
    return link?.state.state === "linked" && link.state.peer.origin !== origin
  }

  /** Tells the client whom it waits for, if that is news. */
  #say(turn: Turn, { connection }: Client, want: Want, isAsked: boolean): void {
    const [lump] = want.lumps
    const isNews = lump !== undefined && turn.nowMs - lump.sinceMs >= newsMs
    if (!isAsked && !isNews) return
    const missing = lump === undefined ? [] : this.#missing(turn, lump.needs)
    const said = JSON.stringify([want.lostTo, ...missing.map((one) => [one.member, one.linked])])
    if (!isAsked && said === want.said) return
    want.said = said
    const { tier, reached, lostTo } = want
    const status = { type: "tier-status", tier, seq: reached, missing, lostTo } as const
    turn.send(connection.id, encodeTierStatus(status))
  }

  #missing(turn: Turn, needs: Needs): MissingMember[] {
    const { members, config } = this.#core
    const missing: MissingMember[] = []
    const isHere = this.#isHere(turn, needs)
    for (const member of members.active()) {
      const isHeld = member === config.node ? isHere : isHere && this.#isHeldBy(turn, member, needs)
      if (isHeld) continue
      const link = this.#peers.linkedTo(member)
      const linked = member === config.node || link !== undefined
      const sinceMs = link?.openedMs ?? (linked ? this.#startedMs : this.#seenOf(member))
      missing.push({ member, linked, forMs: elapsed(turn, sinceMs) })
    }
    if (members.unknown > 0) {
      for (const { address, node, isLearnt, state } of this.#peers.dials.all()) {
        if (isLearnt || node !== undefined || state.state === "self") continue
        const forMs = elapsed(turn, this.#startedMs)
        missing.push({ member: address, linked: false, forMs })
      }
    }
    return missing.slice(0, tierMembersMax)
  }

  #seenOf(member: string): Millis {
    return this.#seenMs.get(member) ?? this.#startedMs
  }
}

/** Of one log the later head, which covers the earlier: both are this node's own logs. */
function bothOf(one: Needs, later: Needs): Needs {
  const [head] = one.heads
  const isSame = one.heads.length === 1 && later.heads.some(([origin]) => origin === head?.[0])
  return isSame ? later : needsOf([...new Map([...one.heads, ...later.heads])], true)
}

function lumpOf({ nowMs }: Turn, seq: number, needs: Needs): Lump {
  return { seq, needs, sinceMs: nowMs, lostMs: undefined }
}

function needsOf(heads: Needs["heads"], isHere: boolean): Needs {
  return { heads, isLogged: isHere, isHere, coveredBy: new WeakSet() }
}

function isEmpty({ after, before }: NumberRange): boolean {
  return before <= after + 1
}

function isIn({ after, before }: NumberRange, seq: number): boolean {
  return seq > after && seq < before
}

function isOld({ nowMs }: Turn, sinceMs: Millis): boolean {
  return nowMs - sinceMs > limits.linkSilentMs
}

/** Whole milliseconds; a clock may have been set back. */
function elapsed({ nowMs }: Turn, sinceMs: Millis): Millis {
  return Math.max(0, Math.round(nowMs - sinceMs))
}
