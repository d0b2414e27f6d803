/**
 * What a node reports of a split, against what the simulator knows of it. A cut that is long enough
 * for its loss to be noticed, between nodes that were linked and live on, is reported by both once
 * it heals ([P1] [P2]). And a report is honest: no fewer updates here than the node itself
 * committed while a member was away, no fewer there than the member had on its disk, beyond the
 * node's, when the cut was over; and no more of both than became durable on the node at all. Times
 * of a report are of the node's own clock. Reports that call themselves lower bounds are held to
 * less.
 */
import { Reader } from "@causeway/crdt/base"
import type { Millis, NodeId } from "@causeway/crdt/base"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { Effect, Input, NodeEvent, PartitionReport } from "@causeway/crdt/node"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { Direction, HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** A loss is noticed after 15 s of silence at most 2.5 s later; clocks go a tenth too slow. */
const NOTICED_MS = 21_000
/** What is said to be unconfirmed when a peer was last heard is no older than that. */
const UNCONFIRMED_MS = 2000
/** Rounding of clocks. */
const SLACK_MS = 1

/** How many updates of each kind a batch has. */
type Batch = { readonly own: number; readonly all: number }

/** One life of a node. */
type Life = {
  readonly number: number
  readonly appends: Map<number, Batch>
  /** When updates became durable, each on the node's own clock. */
  readonly ownMs: Millis[]
  readonly allMs: Millis[]
  /** It got entries as states of documents, which are no updates of the log. */
  hasTransfers: boolean
  readonly linked: Set<NodeId>
  /** Links that came up in this step. */
  readonly cameBack: Set<NodeId>
  /** Of whom it lost the link: how far it held that one's own log then. */
  readonly lostAt: Map<NodeId, number>
  /** How far that log was, at least, when the peer could be reached again. */
  readonly reachedAt: Map<NodeId, number>
  /** What it lacked of each peer's own log while that was away, since the last report; in order. */
  readonly lacked: Map<NodeId, Range[]>
  readonly reports: PartitionReport[]
}

/** Seqs of a log: behind `from`, up to `to`. */
type Range = { readonly from: number; readonly to: number }

/** A pair of nodes between which something is cut. */
type Cut = {
  readonly fromMs: Millis
  /** Lives of both, if they were linked. */
  readonly lives: readonly [number, number] | undefined
}

type Expected = {
  readonly node: SimNode
  readonly life: number
  readonly member: SimNode
  readonly memberLife: number
  /** On the clock of `node`. */
  readonly healedMs: Millis
}

export class PartitionReports implements Watcher {
  readonly #world: World
  readonly #lives = new Map<SimNode, Life>()
  readonly #cuts = new Map<string, Cut>()
  readonly #expected: Expected[] = []
  #lifeCount = 0
  #demanded = 0
  #compared = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Reports that had to be there. */
  get demanded(): number {
    return this.#demanded
  }

  /** Reports that were held against what is known. */
  get compared(): number {
    return this.#compared
  }

  onNodeStarted(node: SimNode): void {
    this.#lives.set(node, {
      number: ++this.#lifeCount,
      appends: new Map(),
      ownMs: [],
      allMs: [],
      hasTransfers: false,
      linked: new Set(),
      cameBack: new Set(),
      lostAt: new Map(),
      reachedAt: new Map(),
      lacked: new Map(),
      reports: [],
    })
  }

  onNodeEnded(node: SimNode): void {
    this.#lives.delete(node)
  }

  onDiskChanged(host: HostId): void {
    const node = this.#world.nodes.find((each) => each.host === host)
    // What was on it says nothing about what will be reported.
    for (const life of this.#lives.values()) {
      if (node === undefined) continue
      forget(life, node.node)
    }
  }

  onNodeInput(node: SimNode, input: Input): void {
    const life = this.#lives.get(node)
    if (life === undefined || input.type !== "committed") return
    const batch = life.appends.get(input.batch)
    life.appends.delete(input.batch)
    if (batch === undefined || !input.result.ok) return
    const nowMs = node.clock.nowMs
    for (let count = 0; count < batch.all; count++) life.allMs.push(nowMs)
    for (let count = 0; count < batch.own; count++) life.ownMs.push(nowMs)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    const life = this.#lives.get(node)
    if (life === undefined) return
    if (effect.type === "append") {
      const own = updatesIn(effect.entries.own)
      const adopted = effect.entries.adopted.map(({ records }) => updatesIn(records))
      const all = adopted.reduce((sum, count) => sum + count, own)
      life.appends.set(effect.batch, { own, all })
      life.hasTransfers ||= hasTransfers(effect.entries)
    } else if (effect.type === "emit") this.#onEvent(node, life, effect.event)
  }

  /** A loss so short that the node takes it for a restart is no split: it is forgotten. */
  onNodeStepped(node: SimNode): void {
    const life = this.#lives.get(node)
    if (life === undefined || life.cameBack.size === 0) return
    const back = new Set(node.core?.status().partition?.back)
    for (const peer of life.cameBack) {
      if (!back.has(peer)) forget(life, peer)
    }
    life.cameBack.clear()
  }

  #onEvent(node: SimNode, life: Life, event: NodeEvent): void {
    if (event.type === "link-up") {
      life.linked.add(event.peer)
      life.cameBack.add(event.peer)
      const [from, to] = [life.lostAt.get(event.peer), life.reachedAt.get(event.peer)]
      life.lostAt.delete(event.peer)
      if (from !== undefined && to !== undefined) noteLacked(life, event.peer, from, to)
    } else if (event.type === "link-down") {
      life.linked.delete(event.peer)
      const peer = this.#nodeOf(event.peer)
      if (peer === undefined) return
      life.lostAt.set(event.peer, node.disk.durable.head(peer.disk.durable.origin).seq)
      life.reachedAt.delete(event.peer)
    } else if (event.type === "partition-healed") this.#onReport(node, life, event.report)
  }

  #nodeOf(name: NodeId): SimNode | undefined {
    return this.#world.nodes.find(({ node }) => node === name)
  }

  #onReport(node: SimNode, life: Life, report: PartitionReport): void {
    life.reports.push(report)
    const { sinceMs, backMs, here, there, members, isLowerBound } = report
    if (!isLowerBound) {
      this.#compared += 1
      const written = life.ownMs.filter((atMs) => {
        return atMs > sinceMs + SLACK_MS && atMs < backMs - SLACK_MS
      }).length
      demand(here.entries >= written, INVARIANT, () => {
        return `${node.node} wrote ${written} updates without ${said(report)}`
      })
    }
    const known = this.#knownOf(life, members)
    demand(life.hasTransfers || there.entries >= known, INVARIANT, () => {
      return `members had ${known} updates of their own that ${node.node} lacked, ${said(report)}`
    })
    for (const member of members) life.lacked.delete(member)
    const durable = life.allMs.filter((atMs) => atMs >= sinceMs - UNCONFIRMED_MS - SLACK_MS).length
    demand(life.hasTransfers || here.entries + there.entries <= durable, INVARIANT, () => {
      return `${durable} updates became durable on ${node.node} meanwhile, ${said(report)}`
    })
  }

  /** What these had written, beyond what the node had, when they could be reached again. */
  #knownOf(life: Life, members: readonly NodeId[]): number {
    let known = 0
    for (const member of members) {
      const durable = this.#nodeOf(member)?.disk.durable
      if (durable === undefined) continue
      for (const { from, to } of life.lacked.get(member) ?? []) {
        // What is only in snapshots can't be counted any more.
        if (from < durable.floor(durable.origin).seq) continue
        const { run } = durable.readOrigin(durable.origin, from + 1, Infinity)
        known += updatesIn(run.records.slice(0, to - from))
      }
    }
    return known
  }

  onCut(directions: readonly Direction[]): void {
    for (const [one, other] of this.#pairs(directions)) {
      const key = `${one.host} ${other.host}`
      if (this.#cuts.has(key)) continue
      const lives = this.#linkedLives(one, other)
      this.#cuts.set(key, { fromMs: this.#world.scheduler.nowMs, lives })
    }
  }

  #linkedLives(one: SimNode, other: SimNode): [number, number] | undefined {
    const [mine, theirs] = [this.#lives.get(one), this.#lives.get(other)]
    if (mine?.linked.has(other.node) !== true || theirs?.linked.has(one.node) !== true) return
    return [mine.number, theirs.number]
  }

  onHealed(directions: readonly Direction[]): void {
    const { reachability } = this.#world.network
    for (const [one, other] of this.#pairs(directions)) {
      const key = `${one.host} ${other.host}`
      const cut = this.#cuts.get(key)
      const { host } = one
      if (reachability.isCut(host, other.host) || reachability.isCut(other.host, host)) continue
      this.#cuts.delete(key)
      this.#noteReached(one, other)
      this.#noteReached(other, one)
      if (cut?.lives === undefined) continue
      if (this.#world.scheduler.nowMs - cut.fromMs < NOTICED_MS) continue
      this.#expect(one, cut.lives[0], other, cut.lives[1])
      this.#expect(other, cut.lives[1], one, cut.lives[0])
    }
  }

  #noteReached(node: SimNode, peer: SimNode): void {
    const life = this.#lives.get(node)
    if (life?.lostAt.has(peer.node) !== true || life.linked.has(peer.node)) return
    const { durable } = peer.disk
    life.reachedAt.set(peer.node, durable.head(durable.origin).seq)
  }

  #expect(node: SimNode, life: number, member: SimNode, memberLife: number): void {
    this.#expected.push({ node, life, member, memberLife, healedMs: node.clock.nowMs })
  }

  /** Each pair of nodes once. */
  #pairs(directions: readonly Direction[]): [SimNode, SimNode][] {
    const pairs = new Map<string, [SimNode, SimNode]>()
    for (const direction of directions) {
      const [low, high] = [Math.min(...direction), Math.max(...direction)]
      const one = this.#world.nodes.find(({ host }) => host === low)
      const other = this.#world.nodes.find(({ host }) => host === high)
      if (one !== undefined && other !== undefined) pairs.set(`${low} ${high}`, [one, other])
    }
    return [...pairs.values()]
  }

  onRest(): void {
    for (const { node, life: number, member, memberLife, healedMs } of this.#expected) {
      const life = this.#lives.get(node)
      if (life?.number !== number || this.#lives.get(member)?.number !== memberLife) continue
      this.#demanded += 1
      const isReported = life.reports.some(({ members, sinceMs, allBackMs }) => {
        return members.includes(member.node) && sinceMs < healedMs && allBackMs >= healedMs
      })
      // It waits a while for others that were lost with it, such as peers that only pretend.
      const { away = [], back = [] } = node.core?.status().partition ?? {}
      const isWaiting = away.length > 0 && back.includes(member.node)
      demand(isReported || isWaiting, INVARIANT, () => {
        return `${node.node} does not report that ${member.node} was out of reach`
      })
    }
  }
}

function forget(life: Life, peer: NodeId): void {
  life.lostAt.delete(peer)
  life.reachedAt.delete(peer)
  life.lacked.delete(peer)
}

/** What it lacked already when that one came back before counts once. */
function noteLacked(life: Life, peer: NodeId, from: number, to: number): void {
  const ranges = life.lacked.get(peer) ?? []
  const behind = Math.max(from, ranges.at(-1)?.to ?? 0)
  if (to > behind) life.lacked.set(peer, [...ranges, { from: behind, to }])
}

function updatesIn(records: readonly Uint8Array[]): number {
  return records.filter((record) => decodeRecordHead(new Reader(record)).document !== undefined)
    .length
}

function hasTransfers(batch: AppendBatch): boolean {
  return (batch.raise?.length ?? 0) > 0
}

function said({ members, here, there }: PartitionReport): string {
  return `${members.join(", ")}, and reports ${here.entries} here and ${there.entries} there`
}

const INVARIANT = "partition-reports"

export const partitionReports: Invariant = {
  name: INVARIANT,
  explain: "a split that both sides notice is reported by both, and no report says too little",
  watch: (world) => new PartitionReports(world),
}
