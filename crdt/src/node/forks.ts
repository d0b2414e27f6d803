/**
 * Forks: peers that hold an origin otherwise than this node does. Noticed wherever two nodes meet,
 * looked into one at a time (`ForkProbe`), and repaired by whoever holds the branch that gives way:
 * its own origin's for each node, else the one with the smaller hash where they part. Until then
 * nothing of that origin is adopted over that link, and all else goes on. A claim is only reported;
 * evidence are entries, and even those lead to an opening no more often than [E5] allows.
 * Rules [E3] [E5] [L6] [X1]–[X4].
 */
import { bytesEqual, limits } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import { genesisHash } from "../log/index.ts"
import type { Head } from "../log/index.ts"
import type { ReopenDoubt } from "../ports/index.ts"
import { encodeLinkEntries, encodeLinkTruncated } from "../protocol/index.ts"
import type { LinkEntries, LinkTruncated, LinkWant } from "../protocol/index.ts"
import type { Core } from "./core.ts"
import { ForkProbe } from "./fork-probe.ts"
import type { Outcome } from "./fork-probe.ts"
import { decodes } from "./link-pull.ts"
import type { Fork, Link } from "./link.ts"
import type { Turn } from "./turn.ts"

/** One that is not repaired so far, for operators. */
export type ForkStatus = {
  readonly origin: OriginId
  /** The logs differ at this seq or before. */
  readonly seq: number
  readonly peer: NodeId
  readonly sinceMs: Millis
  /** Which branch stays: this node's, the peer's, or nobody knows so far. */
  readonly stays: "ours" | "theirs" | "unknown"
}

export class Forks {
  readonly #core: Core
  readonly #links: ReadonlyMap<number, Link>
  /** In order of their turn to be looked into. */
  readonly #forks = new Set<Fork>()
  #probe: ForkProbe | undefined

  constructor(core: Core, links: ReadonlyMap<number, Link>) {
    this.#core = core
    this.#links = links
  }

  /** Looks at what a peer says it holds of our origin; heads alone tell unless it holds less. */
  check(turn: Turn, link: Link, mayRead: boolean): void {
    const { config, holdings } = this.#core
    const theirs = link.heads.get(config.origin)
    if (theirs === undefined || theirs.seq === link.agreedSeq) return
    const ours = holdings.head(config.origin)
    if (theirs.seq > ours.seq) this.notice(turn, link, config.origin, ours.seq)
    else if (theirs.seq === ours.seq || mayRead) this.#compare(turn, link, config.origin)
  }

  /** Whether what a peer holds of an origin is a part of what we hold. */
  #compare(turn: Turn, link: Link, origin: OriginId): void {
    const theirs = link.heads.get(origin)
    const ours = this.#core.holdings.head(origin)
    if (theirs === undefined || theirs.seq > ours.seq || link.forked.has(origin)) return
    if (theirs.seq === ours.seq) return this.#compareHead(turn, link, origin, theirs, ours.hash)
    const query = { type: "origin", origin, fromSeq: theirs.seq + 1, bytesMax: 0 } as const
    this.#core.reads.start(turn, query, (later, result) => {
      if (this.#links.get(link.connection) !== link || result.type !== "origin") return
      this.#compareHead(later, link, origin, theirs, result.previousHash)
    })
  }

  #compareHead(turn: Turn, link: Link, origin: OriginId, theirs: Head, hash: Uint8Array): void {
    if (!bytesEqual(theirs.hash, hash)) this.notice(turn, link, origin, theirs.seq)
    else if (origin === this.#core.config.origin) link.agreedSeq = theirs.seq
  }

  /** The logs differ at `seq` or before. Reported once for each link. */
  notice(turn: Turn, link: Link, origin: OriginId, seq: number): void {
    if (link.forked.has(origin) || link.state.state !== "linked") return
    if (link.forked.size >= limits.originsMax) {
      turn.refuse(link.connection, "malformed", "too many forks")
      return
    }
    const fork: Fork = {
      link,
      origin,
      seq,
      sinceMs: turn.nowMs,
      stays: "unknown",
      doubt: undefined,
    }
    link.forked.set(origin, fork)
    this.#forks.add(fork)
    // Our entries are no use to this peer, all others are.
    link.dropStream(origin)
    turn.emit({ type: "fork-detected", origin, seq, peer: link.state.peer.node })
    this.#start(turn)
  }

  /** Looks into one, if none is and it may lead to anything. */
  #start(turn: Turn): void {
    if (this.#probe !== undefined) return
    let next: Fork | undefined
    for (const fork of this.#forks) {
      if (!this.#isWorthIt(turn, fork)) continue
      if (next === undefined || fork.link.vainProbes < next.link.vainProbes) next = fork
    }
    if (next === undefined) return
    const fork = next
    const of = { link: fork.link, origin: fork.origin, high: this.#highOf(fork) }
    this.#probe = new ForkProbe(this.#core, of, turn.nowMs, (later, outcome) => {
      this.#onOutcome(later, fork, outcome)
    })
    this.#probe.start(turn)
  }

  #isWorthIt(turn: Turn, fork: Fork): boolean {
    if (fork.stays !== "unknown" || fork.link.state.state !== "linked") return false
    if (fork.origin === this.#core.config.origin) return this.#core.mayReopen(turn, "overtaken")
    // Whoever's origin it is gives way; and no two logs differ before their first entries.
    return fork.link.state.peer.origin !== fork.origin && fork.seq > 0
  }

  /** Up to where both may be the same. */
  #highOf({ link, origin, seq }: Fork): number {
    const { config, holdings } = this.#core
    if (origin !== config.origin) return seq - 1
    // Most often ours is a part of theirs.
    const theirs = link.heads.get(origin)?.seq ?? 0
    const ours = holdings.head(origin).seq
    return theirs > ours ? ours : theirs - 1
  }

  /** Entries of our own origin, or of one that is forked, are never adopted. False: malformed. */
  onEntries(turn: Turn, link: Link, entries: LinkEntries): boolean {
    const probe = this.#probe
    if (probe?.link !== link || probe.origin !== entries.run.origin) return true
    const record = entries.run.records[0]
    if (record !== undefined && !decodes(record)) return false
    probe.onEntries(turn, entries)
    return true
  }

  /** Gives whether it answers a probe. */
  onTruncated(turn: Turn, link: Link, { origin, floorSeq }: LinkTruncated): boolean {
    const probe = this.#probe
    if (probe?.link !== link || probe.origin !== origin) return link.forked.has(origin)
    probe.onTruncated(turn, floorSeq)
    return true
  }

  #onOutcome(turn: Turn, fork: Fork, outcome: Outcome): void {
    this.#probe = undefined
    const { origin, link } = fork
    const isOwn = origin === this.#core.config.origin
    // Asked again at once it would say the same.
    if (outcome.found === "nothing") return this.#putBack(fork)
    if (outcome.found === "continuation" && !isOwn) {
      // They are only ahead of us.
      this.#forget(fork)
      link.unsettled.add(origin)
    } else if (outcome.found !== "continuation" && outcome.isOurs && !isOwn) fork.stays = "ours"
    else {
      fork.stays = "theirs"
      fork.doubt = doubtOf(origin, outcome, isOwn)
      this.#core.reopen(turn, fork.doubt)
    }
    this.#start(turn)
  }

  /** It stays noticed, behind the others. */
  #putBack(fork: Fork): void {
    fork.link.vainProbes += 1
    if (this.#forks.delete(fork)) this.#forks.add(fork)
  }

  #forget(fork: Fork): void {
    this.#forks.delete(fork)
    fork.link.forked.delete(fork.origin)
  }

  /**
   * A peer looks into a fork: it asks for what it says it holds. It gets that entry alone, if there
   * is room, one at a time.
   */
  onWant(turn: Turn, link: Link, { origin, fromSeq }: LinkWant): void {
    if (link.isProbed || link.state.state !== "linked") return
    // What it was sent of it before, it has or does not want.
    link.dropStream(origin)
    if (!link.isOpen) return
    link.isProbed = true
    const query = { type: "origin", origin, fromSeq, bytesMax: 0 } as const
    this.#core.reads.start(turn, query, (later, result) => {
      link.isProbed = false
      if (this.#links.get(link.connection) !== link) return
      if (result.type === "truncated") {
        const { seq: floorSeq } = result.floor
        later.send(link.connection, encodeLinkTruncated({ type: "truncated", origin, floorSeq }))
      }
      if (result.type !== "origin") return
      const [record] = result.run.records
      if (record === undefined || !link.isOpen) return
      const { previousHash } = result
      const run = { origin, firstSeq: fromSeq, records: [record] }
      link.noteSent(origin, fromSeq, record.length)
      later.send(link.connection, encodeLinkEntries({ type: "entries", run, previousHash }))
    })
    this.#compare(turn, link, origin)
  }

  sweep(turn: Turn): void {
    const probe = this.#probe
    if (probe !== undefined && turn.nowMs - probe.askedMs > limits.linkWantMs) this.#giveUp(probe)
    for (const link of this.#links.values()) {
      if (link.state.state === "linked") this.check(turn, link, true)
    }
    for (const { doubt } of this.#forks) if (doubt !== undefined) this.#core.reopen(turn, doubt)
    this.#leaveCutOrigin(turn)
    this.#start(turn)
  }

  /** Peers cut our own origin: what is written from now on gets names that are not capped. */
  #leaveCutOrigin(turn: Turn): void {
    const { config, cuts, reopen } = this.#core
    if (cuts.keepSeqOf(config.origin) === undefined) return
    reopen(turn, { why: "overtaken", keepSeq: Number.MAX_SAFE_INTEGER })
  }

  #giveUp(probe: ForkProbe): void {
    const fork = probe.link.forked.get(probe.origin)
    probe.stop()
    this.#probe = undefined
    if (fork !== undefined) this.#putBack(fork)
  }

  onLinkDown(link: Link): void {
    for (const fork of link.forked.values()) this.#forks.delete(fork)
    if (this.#probe?.link !== link) return
    this.#probe.stop()
    this.#probe = undefined
  }

  status(): ForkStatus[] {
    return [...this.#forks].flatMap(({ link, origin, seq, sinceMs, stays }) => {
      if (link.state.state !== "linked") return []
      return [{ origin, seq, peer: link.state.peer.node, sinceMs, stays }]
    })
  }
}

type Lost = Exclude<Outcome, { readonly found: "nothing" }>

/** Below a floor nobody can tell from where on they differ: all of it gives way. */
function doubtOf(origin: OriginId, outcome: Lost, isOwn: boolean): ReopenDoubt {
  const keepSeq = outcome.found === "floor" ? 0 : outcome.keepSeq
  if (isOwn) return { why: "overtaken", keepSeq }
  const hash = outcome.found === "fork" ? outcome.hash : genesisHash
  return { why: "fork", origin, keepSeq, hash }
}
