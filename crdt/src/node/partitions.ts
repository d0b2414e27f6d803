/**
 * Notices that members are out of reach and that they are back, and makes a report of it. Members
 * that are lost while others are form one split; it is over when all of them are linked again and
 * level. A split is seen from here: "here" is what became durable on this node while one of them
 * was away, "there" is what their own nodes wrote meanwhile and what they brought along when they
 * came back. Nothing here is needed for correctness, or kept across lives. Rules [P1]–[P4].
 */
import { limits, nodeOfOrigin } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import { Side } from "./partition-report.ts"
import type { PartitionReport, SideReport } from "./partition-report.ts"
import { RecentWrites, runsOf } from "./recent-writes.ts"
import type { DurableRun } from "./recent-writes.ts"
import type { Turn } from "./turn.ts"

/** What a peer is known to hold, and what this node does. */
type Heads = ReadonlyMap<OriginId, Head>

/** The peer a link leads to, as far as it matters here. */
export type LinkedPeer = {
  readonly node: NodeId
  readonly heads: Heads
  readonly heardMs: Millis
  /** Bytes of entries sent on the link. */
  readonly sentBytes: number
}

type Away = {
  readonly state: "away"
  /** When it was last heard: from then on it may lack what is written here. */
  readonly heardMs: Millis
  /** Whether it was said that it is out of reach. */
  isNoticed: boolean
  /** What it was known to hold and this node lacked when it was lost. */
  readonly due: ReadonlyMap<OriginId, number>
}

type Back = {
  readonly state: "back"
  readonly heardMs: Millis
  readonly sentBytes: number
  /** What this node lacked of it when it came back, and what it lacked; shrinks to nothing. */
  readonly due: Map<OriginId, number>
  readonly owed: Map<OriginId, number>
}

type Split = {
  readonly members: Map<NodeId, Away | Back>
  sinceMs: Millis
  readonly here: Side
  readonly there: Side
  /** Entries behind it are counted, on whichever side. */
  readonly from: Map<OriginId, number>
  /** Up to here an origin's entries came with a member that came back. */
  readonly brought: Map<OriginId, number>
  backMs: Millis | undefined
  allBackMs: Millis
  bytesIn: number
  bytesOut: number
}

/** The split that is on, for the status. */
export type PartitionStatus = {
  readonly sinceMs: Millis
  /** Out of reach now, and linked again but not yet level. */
  readonly away: readonly NodeId[]
  readonly back: readonly NodeId[]
  readonly here: SideReport
  readonly there: SideReport
}

export type PartitionsOptions = {
  readonly node: NodeId
  readonly heads: () => Heads
  /** Links that are up. */
  readonly linked: () => Iterable<LinkedPeer>
  /** Who belongs to the cluster: nobody waits for the others. */
  readonly members: () => readonly NodeId[]
}

export class Partitions {
  readonly #options: PartitionsOptions
  readonly #recent = new RecentWrites()
  readonly #startedMs: Millis
  #split: Split | undefined

  constructor(options: PartitionsOptions, nowMs: Millis) {
    this.#options = options
    this.#startedMs = nowMs
  }

  /** A link that was up is gone. */
  onLinkDown(turn: Turn, { node, heads, heardMs, sentBytes }: LinkedPeer): void {
    this.#split ??= newSplit(heardMs)
    const split = this.#split
    const known = split.members.get(node)
    const due = lead(heads, this.#options.heads())
    if (known?.state === "back") {
      // It goes on, and was said.
      split.members.set(node, { state: "away", heardMs: known.heardMs, isNoticed: true, due })
      split.bytesOut += Math.max(0, sentBytes - known.sentBytes)
    } else if (known !== undefined || split.members.size < limits.linksMax) {
      split.members.set(node, { state: "away", heardMs, isNoticed: false, due })
    }
    split.sinceMs = Math.min(split.sinceMs, heardMs)
    this.#countMissed(split, heads, heardMs, turn.nowMs)
  }

  /** What became durable here since a peer was last heard and it was not known to hold. */
  #countMissed(split: Split, heads: Heads, heardMs: Millis, nowMs: Millis): void {
    // What it had when it was heard it says in the next vector.
    const fromMs = heardMs - 2 * limits.linkVectorIntervalMs
    if (!this.#recent.isCompleteSince(fromMs, nowMs)) split.here.isLowerBound = true
    const reached = new Map<OriginId, number>()
    for (const { origin, firstSeq, documents } of this.#recent.since(fromMs)) {
      if (split.members.has(nodeOfOrigin(origin))) continue
      const held = heads.get(origin)?.seq ?? 0
      const counted = split.from.get(origin) ?? Infinity
      for (const [index, document] of documents.entries()) {
        const seq = firstSeq + index
        if (seq <= held || seq > counted) continue
        split.here.add(document)
        if (!reached.has(origin)) reached.set(origin, seq - 1)
      }
    }
    for (const [origin, seq] of reached) split.from.set(origin, seq)
  }

  /** A link is up, and what the peer holds is known. */
  onLinkUp(turn: Turn, { node, heads, sentBytes }: LinkedPeer): void {
    const split = this.#split
    const member = split?.members.get(node)
    if (split === undefined || member === undefined) return
    if (!isLong(member, turn.nowMs)) {
      this.#forget(turn, node)
      return
    }
    const ours = this.#options.heads()
    const due = lead(heads, ours)
    const owed = lead(ours, heads)
    for (const [origin, seq] of due) {
      if (this.#isHere(split, nodeOfOrigin(origin))) continue
      split.brought.set(origin, Math.max(seq, split.brought.get(origin) ?? 0))
    }
    const { heardMs } = member
    split.members.set(node, { state: "back", heardMs, sentBytes, due, owed })
    split.backMs ??= turn.nowMs
    split.allBackMs = turn.nowMs
    this.#settle(turn, split)
  }

  /** Whether this node's entries are of this side: its own, or linked all the time. */
  #isHere(split: Split, node: NodeId): boolean {
    if (node === this.#options.node) return true
    if (split.members.has(node)) return false
    for (const linked of this.#options.linked()) if (linked.node === node) return true
    return false
  }

  /** Updates became durable. O(updates). */
  onDurable(turn: Turn, updates: Parameters<typeof runsOf>[0]): void {
    // Only what somebody who is linked may turn out to lack is worth remembering.
    const [linked] = this.#options.linked()
    if (linked === undefined) this.#recent.clear()
    if (linked === undefined && this.#split === undefined) return
    // What a state transfer brings was changed there; as how many entries nobody knows.
    for (const { dot, document } of updates)
      if (dot === undefined) this.#split?.there.touch(document)
    for (const run of runsOf(updates)) {
      if (this.#split !== undefined) countDurable(this.#split, run)
      if (linked !== undefined) this.#recent.add(run, turn.nowMs)
    }
    this.onProgress(turn)
  }

  /** Something was adopted, or a peer said what it holds: those that are back may be level. */
  onProgress(turn: Turn): void {
    if (this.#split?.backMs !== undefined) this.#settle(turn, this.#split)
  }

  /** A member was retired, or back before it was a split: nobody waits for it any more. */
  #forget(turn: Turn, node: NodeId): void {
    const split = this.#split
    if (split?.members.delete(node) !== true) return
    if (split.members.size === 0) this.#split = undefined
    else this.#settle(turn, split)
  }

  #settle(turn: Turn, split: Split): void {
    const ours = this.#options.heads()
    const peers = new Map([...this.#options.linked()].map((peer) => [peer.node, peer]))
    let isLevel = true
    for (const [node, member] of split.members) {
      if (member.state === "away") continue
      const theirs = peers.get(node)?.heads
      const isCaughtUp = isCovered(member.due, ours)
      const isServed = theirs !== undefined && isCovered(member.owed, theirs)
      isLevel &&= isCaughtUp && isServed
    }
    const waitedMs = turn.nowMs - split.allBackMs
    if (!isLevel && waitedMs < limits.partitionConvergeMs) return
    if (someAway(split) && waitedMs < limits.partitionStragglerMs) return
    if (split.backMs !== undefined) this.#report(turn, split, split.backMs, isLevel, peers)
  }

  #report(
    turn: Turn,
    split: Split,
    backMs: Millis,
    isLevel: boolean,
    peers: ReadonlyMap<NodeId, LinkedPeer>,
  ): void {
    const members: NodeId[] = []
    const away = new Set<NodeId>()
    let { bytesOut } = split
    for (const [node, member] of split.members) {
      if (member.state === "back") {
        members.push(node)
        bytesOut += Math.max(0, (peers.get(node)?.sentBytes ?? 0) - member.sentBytes)
      } else {
        away.add(node)
      }
    }
    // All are gone again: it goes on, with all that was counted.
    if (members.length === 0) return
    this.#split = away.size === 0 ? undefined : restOf(split, away)
    members.sort((left, right) => (left < right ? -1 : 1))
    const { sinceMs, here, there, allBackMs, bytesIn } = split
    const report: PartitionReport = {
      sinceMs,
      backMs,
      allBackMs,
      convergedMs: isLevel ? turn.nowMs : undefined,
      members,
      here: here.report(),
      there: there.report(),
      both: here.shared(there),
      bytesIn: Math.round(bytesIn),
      bytesOut,
      isLowerBound: here.isLowerBound || there.isLowerBound,
    }
    turn.emit({ type: "partition-healed", report })
  }

  /** Looks after ages: says who is out of reach, and lets no report wait for ever. */
  sweep(turn: Turn): void {
    if (this.#split === undefined) return
    const active = new Set(this.#options.members())
    for (const node of this.status()?.away ?? []) if (!active.has(node)) this.#forget(turn, node)
    const split = this.#split
    if (split === undefined) return
    for (const [node, member] of split.members) {
      if (member.state === "back" || member.isNoticed || !isLong(member, turn.nowMs)) continue
      member.isNoticed = true
      turn.emit({ type: "partition-noticed", peer: node, sinceMs: member.heardMs })
    }
    if (split.backMs !== undefined) this.#settle(turn, split)
  }

  /** Since when a node without a link is out of reach, and how far it was ahead when last heard. */
  lost(node: NodeId | undefined): { readonly sinceMs: Millis; readonly behind: number } {
    const member = node === undefined ? undefined : this.#split?.members.get(node)
    if (member?.state !== "away") return { sinceMs: this.#startedMs, behind: 0 }
    let behind = 0
    const ours = this.#options.heads()
    for (const [origin, seq] of member.due) {
      behind += Math.max(0, seq - (ours.get(origin)?.seq ?? 0))
    }
    return { sinceMs: member.heardMs, behind }
  }

  status(): PartitionStatus | undefined {
    const split = this.#split
    if (split === undefined) return undefined
    const inState = (state: "away" | "back") =>
      [...split.members].filter(([, member]) => member.state === state).map(([node]) => node)
    const { sinceMs, here, there } = split
    const [away, back] = [inState("away"), inState("back")]
    return { sinceMs, away, back, here: here.report(), there: there.report() }
  }
}

/** Whose side a run was written on, entry by entry. */
function countDurable(split: Split, { origin, firstSeq, documents, bytes }: DurableRun): void {
  const node = nodeOfOrigin(origin)
  const member = split.members.get(node)
  const isAway = member?.state === "away"
  const broughtSeq = isAway ? Infinity : (split.brought.get(origin) ?? 0)
  const isOn = someAway(split)
  let count = 0
  for (const [index, document] of documents.entries()) {
    if (firstSeq + index <= broughtSeq) {
      split.there.add(document, member === undefined ? undefined : node)
      count += 1
    } else if (isOn) split.here.add(document)
  }
  if (!split.from.has(origin)) split.from.set(origin, firstSeq - 1)
  if (split.backMs !== undefined) split.bytesIn += (bytes * count) / documents.length
}

/** What stays of a split once the others are back and it was reported: all that these missed. */
function restOf(split: Split, away: ReadonlySet<NodeId>): Split {
  const { sinceMs, here, there, members, from } = split
  const rest = newSplit(sinceMs, here.copy(), there.changedBy(away))
  for (const [origin, seq] of from) rest.from.set(origin, seq)
  for (const [node, member] of members) if (away.has(node)) rest.members.set(node, member)
  return rest
}

function newSplit(sinceMs: Millis, here = new Side(), there = new Side()): Split {
  return {
    members: new Map(),
    sinceMs,
    here,
    there,
    from: new Map(),
    brought: new Map(),
    backMs: undefined,
    allBackMs: sinceMs,
    bytesIn: 0,
    bytesOut: 0,
  }
}

/** A process that restarts is no split; one that was away long enough once, is. */
function isLong(member: Away | Back, nowMs: Millis): boolean {
  return member.state === "back" || nowMs - member.heardMs >= limits.partitionMsMin
}

function someAway(split: Split): boolean {
  for (const { state } of split.members.values()) if (state === "away") return true
  return false
}

/** Where `these` are ahead of `those`, and how far they reach. */
function lead(these: Heads, those: Heads): Map<OriginId, number> {
  const ahead = new Map<OriginId, number>()
  for (const [origin, { seq }] of these) {
    if (seq > (those.get(origin)?.seq ?? 0)) ahead.set(origin, seq)
  }
  return ahead
}

/** Whether `heads` have reached all of `wanted`; what is reached is taken out. */
function isCovered(wanted: Map<OriginId, number>, heads: Heads): boolean {
  for (const [origin, seq] of wanted) {
    if ((heads.get(origin)?.seq ?? 0) < seq) return false
    wanted.delete(origin)
  }
  return true
}
