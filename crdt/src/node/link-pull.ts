/**
 * The receiving half of links: adopts runs that continue the log, asks for what vectors show to be
 * missing, one peer at a time per origin, and leaves origins alone whose own node is linked and
 * pushes them. Rules [L5] [L6] [L16].
 */
import { bytesCompare, bytesEqual, DecodeError, limits } from "../base/index.ts"
import type { Millis, OriginId } from "../base/index.ts"
import { chainRecords, decodeRecord } from "../log/index.ts"
import type { Head, LogRun, RecordFields } from "../log/index.ts"
import { encodeLinkWant } from "../protocol/index.ts"
import type { LinkEntries, LinkTruncated } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import type { Forks } from "./forks.ts"
import { HeadAhead } from "./head-ahead.ts"
import type { Link } from "./link.ts"
import type { Turn } from "./turn.ts"
import { VainFloors } from "./vain-floors.ts"

/** Who is to bring an origin's entries: asked for them, or expected to push them unasked. */
type Want = { readonly link: Link; readonly isAsked: boolean; atMs: Millis }

export class LinkPull {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  readonly #forks: Forks
  /** Heads including runs on their way to the disk; never advertised. */
  readonly #adopting = new Map<OriginId, Head>()
  readonly #wants = new Map<OriginId, Want>()
  readonly vainFloors: VainFloors = new VainFloors()
  /** Origins of which something came that had no room, and from whom. */
  readonly #turnedAway = new Map<OriginId, Link>()
  /** Of these nothing is adopted now: their heads are about to move without entries. */
  #heldBack: ReadonlySet<OriginId> = new Set()

  constructor(core: Core, links: ReadonlyMap<number, Link>, forks: Forks) {
    this.#core = core
    this.#links = links
    this.#forks = forks
  }

  holdBack(origins: ReadonlySet<OriginId>): void {
    this.#heldBack = origins
  }

  #head(origin: OriginId): Head {
    return this.#adopting.get(origin) ?? this.#core.holdings.head(origin)
  }

  /**
   * A vector has `originsMax` origins at most, and so has a log: what no hello could state is not
   * adopted. Room is kept for this node's own origin.
   */
  #hasRoom(origin: OriginId): boolean {
    if (this.#wants.has(origin)) return true
    const { holdings } = this.#core
    const size = holdings.heads().size + this.#adopting.size
    return Math.max(size, this.#wants.size) < limits.originsMax - 1
  }

  /** Gives false if the run breaks the protocol. */
  onEntries(turn: Turn, link: Link, message: LinkEntries): boolean {
    const { origin, firstSeq, records } = message.run
    if (this.#heldBack.has(origin)) return true
    const head = this.#head(origin)
    if (head.seq === 0 && !this.#hasRoom(origin)) return true
    const known = head.seq - (firstSeq - 1)
    if (known < 0) {
      this.#want(turn, link, origin)
      return true
    }
    if (known >= records.length) return true
    const before = { seq: firstSeq - 1, hash: message.previousHash }
    const { sha256 } = this.#core.config
    const reached = chainRecords(before, origin, records.slice(0, known), sha256)
    if (!bytesEqual(reached.hash, head.hash)) {
      this.#forks.notice(turn, link, origin, head.seq)
      return true
    }
    if (this.#givesWay(turn, message.run, head)) {
      link.unserved.set(origin, turn.nowMs)
      return true
    }
    const run = { origin, firstSeq: head.seq + 1, records: records.slice(known) }
    return this.#adopt(turn, link, head, run)
  }

  /** Whether it is a branch that this node just cut off: it waits for the one that stays. */
  #givesWay(turn: Turn, { origin, firstSeq, records }: LogRun, head: Head): boolean {
    const { staying } = this.#core.config
    if (staying?.origin !== origin || staying.keepSeq !== head.seq) return false
    if (turn.nowMs >= staying.untilMs) return false
    const next = records.slice(head.seq - (firstSeq - 1)).slice(0, 1)
    return bytesCompare(chainRecords(head, origin, next).hash, staying.hash) < 0
  }

  #adopt(turn: Turn, link: Link, head: Head, run: LogRun): boolean {
    let bytes = 0
    for (const record of run.records) bytes += record.length
    const { commits, config } = this.#core
    if (!commits.admitsRun(run.records.length, bytes)) {
      this.#setWant(run.origin, { link, isAsked: true, atMs: turn.nowMs })
      this.#turnedAway.set(run.origin, link)
      return true
    }
    const fields = decoded(run.records)
    if (fields === undefined) return false
    link.unserved.delete(run.origin)
    link.brought.add(run.origin)
    this.#adopting.set(run.origin, new HeadAhead(head, run, config.sha256))
    commits.adopt({ ...run, fields }, bytes)
    if (link.healing !== undefined) link.healing.entries += run.records.length
    this.#noteAdopting(turn, link, run.origin)
    return true
  }

  /** A peer's answer ends where its log does; what comes after that is to be asked for anew. */
  #noteAdopting(turn: Turn, link: Link, origin: OriginId): void {
    const want = this.#wants.get(origin)
    if (want?.link !== link) return
    const told = link.heads.get(origin)?.seq ?? 0
    if (this.#head(origin).seq >= told) this.#wants.delete(origin)
    else want.atMs = turn.nowMs
  }

  /** Adopted runs are durable, or lost with their batch: what is held is what counts. */
  settle(turn: Turn): void {
    for (const [origin, head] of this.#adopting) {
      if (this.#core.holdings.head(origin).seq >= head.seq) this.#adopting.delete(origin)
    }
    if (this.#turnedAway.size === 0 || !this.#core.commits.hasRoomForRuns) return
    for (const [origin, link] of this.#turnedAway) {
      if (this.#wants.get(origin)?.link === link) this.#ask(turn, link, origin)
    }
    this.#turnedAway.clear()
  }

  forgetAdopting(): void {
    this.#adopting.clear()
  }

  /**
   * Looks through heads that a peer just said, or all that are unsettled, for what is missing
   * here, and asks for it.
   */
  pullFrom(turn: Turn, link: Link, origins: Iterable<OriginId>): void {
    if (link.state.state !== "linked") return
    let room: number | undefined
    for (const origin of origins) {
      const theirs = this.#unsettledHead(link, origin)
      if (theirs === undefined) continue
      const ours = this.#head(origin)
      if (theirs.seq === ours.seq && !bytesEqual(theirs.hash, ours.hash)) {
        this.#forks.notice(turn, link, origin, ours.seq)
      }
      if (theirs.seq > ours.seq) {
        if (this.#isTruncated(link, origin)) continue
        if (room === 0 || !this.#mayAsk(turn, link, origin)) continue
        room ??= Math.max(0, limits.linkWantsMax - this.#askedOf(turn, link))
        if (room === 0) continue
        room -= 1
        this.#want(turn, link, origin)
      } else this.#noteNothingLeft(link, origin)
    }
  }

  /**
   * Only the peer that is to bring them can say that nothing more is to come. What it is to push
   * it may be behind with, too: its disk was put back, and it is given up like one that is silent.
   */
  #noteNothingLeft(link: Link, origin: OriginId): void {
    const want = this.#wants.get(origin)
    if (want?.link !== link || (!want.isAsked && this.#isBehindAny(origin))) return
    this.#wants.delete(origin)
  }

  #isBehindAny(origin: OriginId): boolean {
    const { seq } = this.#head(origin)
    for (const { heads, forked } of this.#links.values()) {
      if ((heads.get(origin)?.seq ?? 0) > seq && !forked.has(origin)) return true
    }
    return false
  }

  /** Undefined if there is nothing to look for; settled if that stays so until the peer's next. */
  #unsettledHead(link: Link, origin: OriginId): Head | undefined {
    const theirs = link.heads.get(origin)
    if (theirs === undefined) return undefined
    const durable = this.#core.holdings.head(origin)
    const isLeft = origin === this.#core.config.origin || link.forked.has(origin)
    const isCovered =
      theirs.seq < durable.seq ||
      (theirs.seq === durable.seq && (isLeft || bytesEqual(theirs.hash, durable.hash)))
    if (isCovered && this.#wants.get(origin)?.link !== link) link.unsettled.delete(origin)
    else if (!isLeft) return theirs
    return undefined
  }

  #setWant(origin: OriginId, want: Want): void {
    this.#wants.set(origin, want)
    want.link.unsettled.add(origin)
  }

  #askedOf(turn: Turn, link: Link): number {
    let count = 0
    for (const want of this.#wants.values()) {
      if (want.link === link && turn.nowMs - want.atMs < limits.linkWantMs) count += 1
    }
    return count
  }

  /** Not while another peer is answering, nor before the origin's own node had time to push. */
  #mayAsk(turn: Turn, link: Link, origin: OriginId): boolean {
    const want = this.#wants.get(origin)
    if (want === undefined) {
      const pusher = this.#pusherOf(origin)
      if (pusher === undefined || this.#isTruncated(pusher, origin))
        return !this.#isElsewhere(link, origin)
      this.#setWant(origin, { link: pusher, isAsked: false, atMs: turn.nowMs })
      return false
    }
    if (turn.nowMs - want.atMs < limits.linkWantMs) {
      return want.link.unserved.has(origin) && !link.unserved.has(origin)
    }
    want.link.unserved.set(origin, turn.nowMs)
    return !this.#isElsewhere(link, origin)
  }

  /**
   * Whether others come before a peer that brought nothing when it was asked: those that did, or
   * were not asked yet, or whose last turn is longer ago.
   */
  #isElsewhere(link: Link, origin: OriginId): boolean {
    const failedMs = link.unserved.get(origin)
    if (failedMs === undefined) return false
    const { seq } = this.#head(origin)
    for (const other of this.#links.values()) {
      if ((other.heads.get(origin)?.seq ?? 0) <= seq || other.forked.has(origin)) continue
      if (this.#isTruncated(other, origin)) continue
      if ((other.unserved.get(origin) ?? -Infinity) < failedMs) return true
    }
    return false
  }

  #pusherOf(origin: OriginId): Link | undefined {
    for (const link of this.#links.values()) {
      if (link.state.state === "linked" && link.state.peer.origin === origin) return link
    }
    return undefined
  }

  #want(turn: Turn, link: Link, origin: OriginId): void {
    const want = this.#wants.get(origin)
    const isFresh = want !== undefined && turn.nowMs - want.atMs < limits.linkWantMs
    const isInTurn = link !== want?.link && !link.unserved.has(origin)
    if (isFresh && want.isAsked && !isInTurn) return
    this.#ask(turn, link, origin)
  }

  #ask(turn: Turn, link: Link, origin: OriginId): void {
    this.#setWant(origin, { link, isAsked: true, atMs: turn.nowMs })
    const fromSeq = this.#head(origin).seq + 1
    turn.send(link.connection, encodeLinkWant({ type: "want", origin, fromSeq }))
  }

  /** Whether the peer's log of an origin begins behind what this node lacks. */
  #isTruncated(link: Link, origin: OriginId): boolean {
    return (link.truncated.get(origin) ?? 0) > this.#head(origin).seq
  }

  /** The peer has not the entries that were asked for: another one may. */
  onTruncated(turn: Turn, link: Link, { origin, floorSeq }: LinkTruncated): void {
    if (!link.heads.has(origin)) return
    link.truncated.set(origin, floorSeq)
    if (this.#wants.get(origin)?.link === link) this.#wants.delete(origin)
    for (const other of this.#links.values()) this.pullFrom(turn, other, [origin])
  }

  /**
   * A peer from which something is lacking that no linked one has, or brings, as entries. No
   * transfer raises our own origin, or one that is forked: it would begin again for ever.
   */
  findTruncated({ nowMs }: Turn): Link | undefined {
    for (const link of this.#links.values()) {
      if (link.state.state !== "linked") continue
      const { node } = link.state.peer
      for (const [origin, floorSeq] of link.truncated) {
        const isLeft = origin === this.#core.config.origin || link.forked.has(origin)
        if (isLeft || floorSeq <= this.#head(origin).seq) link.truncated.delete(origin)
        else if (this.vainFloors.isPaused(nowMs, node, origin)) continue
        else if (!this.#isElsewhereWhole(origin)) return link
      }
    }
    return undefined
  }

  /** Who brought nothing when asked may never do: it lies, or can't read its disk. */
  #isElsewhereWhole(origin: OriginId): boolean {
    const { seq } = this.#head(origin)
    for (const link of this.#links.values()) {
      const isAhead = (link.heads.get(origin)?.seq ?? 0) > seq && !link.forked.has(origin)
      const mayServe = !this.#isTruncated(link, origin) && !link.unserved.has(origin)
      if (isAhead && mayServe) return true
    }
    return false
  }

  onLinkDown(link: Link): void {
    for (const [origin, want] of this.#wants) if (want.link === link) this.#wants.delete(origin)
  }
}

/** What these records say; undefined if one of them is none. */
function decoded(records: readonly Uint8Array[]): RecordFields[] | undefined {
  try {
    return records.map(decodeRecord)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** Whether these bytes are a record. */
export function decodes(record: Uint8Array): boolean {
  return decoded([record]) !== undefined
}
