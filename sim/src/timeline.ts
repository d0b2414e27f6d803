/**
 * What a person wants to see of a run, recorded as it goes for `show`: who was up, who could
 * reach whom, what disks suffered, what was written, acked and made durable, and how far every
 * node was behind. A watcher like any other: it changes nothing, and what it keeps is bounded
 * (`SPANS_MAX`, `BUCKETS_MAX`, `LANES_MAX`), however long the run.
 */
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Effect } from "@causeway/crdt/node"
import type { AppendBatch } from "@causeway/crdt/ports"
import { decodeNodeMessage, nativeTags } from "@causeway/crdt/protocol"
import type { Direction, HostId } from "./reachability.ts"
import { Divergence } from "./show/divergence.ts"
import { Grid } from "./show/grid.ts"
import type { Series } from "./show/grid.ts"
import { Lane } from "./show/lane.ts"
import type { Span } from "./show/lane.ts"
import { cutWords, Probe } from "./show/probe.ts"
import { Reach } from "./show/reach.ts"
import type { Reachability } from "./show/reach.ts"
import type { SimNode } from "./sim-node.ts"
import type { DiskChange, Phase, Watcher } from "./watcher.ts"
import type { World } from "./world.ts"
import type { SimWriter } from "./writer.ts"

/** Up to so many clients have a lane of their own. */
const LANES_MAX = 12
/** More kinds of faults than anybody has; further ones are counted together. */
const FAULT_KINDS_MAX = 100
const NOTES_MAX = 4
const PHASES_MAX = 16

type NodeTrack = {
  readonly name: string
  readonly process: Lane
  readonly disk: Lane
  readonly clock: Lane
  readonly marks: Lane
  readonly own: Series
  readonly adopted: Series
  readonly behind: Series
}

type WriterTrack = {
  readonly name: string
  readonly process: Lane
  readonly home: Lane
  readonly writes: Series
  readonly acks: Series
  readonly pending: Series
}

type FaultTrack = { readonly begins: Lane; readonly lasts: Lane; underWay: number; ended: number }

/** All that is recorded, as plain data. */
export type TimelineData = {
  readonly endMs: Millis
  readonly bucketMs: Millis
  readonly phases: readonly { readonly phase: Phase; readonly fromMs: Millis }[]
  readonly nodes: readonly {
    readonly name: string
    readonly process: readonly Span[]
    /** `what` is the side's number, biggest side 0, or `limited`. */
    readonly side: readonly Span[]
    readonly disk: readonly Span[]
    readonly clock: readonly Span[]
    readonly marks: readonly Span[]
    /** Entries that became durable here: written here, and adopted from peers. */
    readonly own: readonly number[]
    readonly adopted: readonly number[]
    /** Entries it lacked of all that were durable anywhere. */
    readonly behind: readonly number[]
  }[]
  /** `what`: `both`, `there` (from one to other), `back`. Empty for many nodes. */
  readonly pairs: readonly {
    readonly one: string
    readonly other: string
    readonly cut: readonly Span[]
  }[]
  readonly states: readonly Reachability[]
  readonly writers: readonly {
    readonly name: string
    readonly process: readonly Span[]
    /** `what`: the node it is connected to. */
    readonly home: readonly Span[]
    readonly writes: readonly number[]
    readonly acks: readonly number[]
    readonly pending: readonly number[]
  }[]
  readonly writerCount: number
  /** Over all writers. */
  readonly writes: readonly number[]
  readonly acks: readonly number[]
  readonly connected: readonly number[]
  readonly pending: readonly number[]
  readonly faults: readonly {
    readonly name: string
    readonly begins: readonly Span[]
    /** `what` is how many at once; means nothing for faults that never end. */
    readonly lasts: readonly Span[]
    readonly ended: number
  }[]
}

export class Timeline implements Watcher {
  readonly #world: World
  readonly #grid = new Grid()
  readonly #divergence: Divergence
  readonly #reach: Reach
  readonly #probe: Probe
  readonly #nodes: readonly NodeTrack[]
  /** By host; empty if there are too many. */
  readonly #writers = new Map<HostId, WriterTrack>()
  readonly #ackedSeqs = new Map<HostId, number>()
  readonly #faults = new Map<string, FaultTrack>()
  readonly #phases: { readonly phase: Phase; readonly fromMs: Millis }[] = []
  readonly #writes: Series
  readonly #acks: Series
  readonly #connected: Series
  readonly #pending: Series
  /** What just happened, to say what a fault did. */
  #notes: string[] = []
  #notedMs: Millis = -1

  constructor(world: World) {
    const { nodes, writers } = world
    this.#world = world
    this.#divergence = new Divergence(nodes.map(({ disk }) => disk))
    this.#reach = new Reach(nodes.length)
    this.#nodes = nodes.map(({ node }) => this.#newNode(node))
    this.#probe = new Probe(nodes)
    if (writers.length <= LANES_MAX) {
      for (const { host, name } of writers) this.#writers.set(host, this.#newWriter(name))
    }
    this.#writes = this.#grid.series("sum")
    this.#acks = this.#grid.series("sum")
    this.#connected = this.#grid.series("level")
    this.#pending = this.#grid.series("level")
  }

  #newNode(name: string): NodeTrack {
    return {
      name,
      process: new Lane(),
      disk: new Lane(),
      clock: new Lane(),
      marks: new Lane(),
      own: this.#grid.series("sum"),
      adopted: this.#grid.series("sum"),
      behind: this.#grid.series("level"),
    }
  }

  #newWriter(name: string): WriterTrack {
    return {
      name,
      process: new Lane(),
      home: new Lane(),
      writes: this.#grid.series("sum"),
      acks: this.#grid.series("sum"),
      pending: this.#grid.series("level"),
    }
  }

  onWrite(writer: SimWriter): void {
    this.#advance()
    this.#grid.add(this.#writes, 1)
    const track = this.#writers.get(writer.host)
    if (track !== undefined) this.#grid.add(track.writes, 1)
  }

  onForgotten(writer: SimWriter, storage: "kept" | "lost"): void {
    const nowMs = this.#advance()
    if (storage === "lost") this.#ackedSeqs.delete(writer.host)
    const how = storage === "lost" ? "lost" : "crashed"
    this.#writers.get(writer.host)?.process.set(nowMs, how)
    this.#note(`${writer.name} ${storage === "lost" ? "wiped" : "ended"}`)
  }

  onConnected(writer: SimWriter, node: HostId | undefined): void {
    const nowMs = this.#advance()
    const name = node === undefined ? undefined : this.#nameOf(node)
    this.#writers.get(writer.host)?.home.set(nowMs, name)
    this.#lookAtWriters(nowMs)
  }

  onDurable(node: HostId, batch: AppendBatch, firstSeq: number): void {
    this.#advance()
    const transferred = this.#divergence.onDurable(node, batch, firstSeq)
    const track = this.#nodes[node]
    if (track === undefined) return
    const adopted = batch.adopted.reduce((sum, run) => sum + run.records.length, 0)
    this.#grid.add(track.own, batch.own.length)
    this.#grid.add(track.adopted, adopted + transferred)
    this.#showDivergence()
  }

  onDiskChanged(node: HostId, change: DiskChange): void {
    const nowMs = this.#advance()
    this.#nodes[node]?.marks.mark(nowMs, change)
    this.#note(`disk of ${this.#nameOf(node)} ${change}`)
    this.#divergence.recount()
    this.#showDivergence()
  }

  onNodeStarted(node: SimNode): void {
    const nowMs = this.#advance()
    const track = this.#nodes[node.host]
    track?.process.set(nowMs, undefined)
    const build = node.build === "today" ? "" : `build ${node.build}`
    if (nowMs > 0) track?.marks.mark(nowMs, "started", build)
    this.#reach.setUp(nowMs, node.host, true)
    // A store that opens in doubt puts its log right.
    this.#divergence.recount()
    this.#showDivergence()
  }

  onNodeEnded(node: SimNode, how: "crashed" | "stopped"): void {
    const nowMs = this.#advance()
    this.#nodes[node.host]?.process.set(nowMs, how)
    this.#reach.setUp(nowMs, node.host, false)
    this.#note(`${node.node} ${how}`)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type === "reopen") this.#markNode(node, "fresh epoch", effect.doubt.why)
    if (effect.type !== "emit" || effect.event.type !== "fork-detected") return
    this.#markNode(node, "fork noticed", effect.event.origin)
  }

  #markNode({ host }: SimNode, what: string, detail: string): void {
    this.#nodes[host]?.marks.mark(this.#advance(), what, detail)
  }

  onArrived(from: HostId, to: HostId, _connection: ConnectionId, frame: Uint8Array): void {
    const isToClient = from < this.#nodes.length && to >= this.#nodes.length
    if (!isToClient || frame[0] !== nativeTags.ack) return
    const writer = this.#world.writers[to - this.#nodes.length]
    if (writer?.kind !== "native") return
    const message = decodeNodeMessage(frame)
    if (message.type !== "ack" || message.tier !== "node") return
    this.#advance()
    const count = message.seq - (this.#ackedSeqs.get(to) ?? 0)
    if (count <= 0) return
    this.#ackedSeqs.set(to, message.seq)
    this.#grid.add(this.#acks, count)
    const track = this.#writers.get(to)
    if (track !== undefined) this.#grid.add(track.acks, count)
  }

  onCut(directions: readonly Direction[]): void {
    this.#reach.change(this.#advance(), directions, 1)
    this.#note(cutWords(directions, (host) => this.#nameOf(host)))
  }

  onHealed(directions: readonly Direction[]): void {
    this.#reach.change(this.#advance(), directions, -1)
  }

  onFault(fault: string, state: "begins" | "ends"): void {
    const nowMs = this.#advance()
    this.#look(nowMs)
    const name = this.#faults.size < FAULT_KINDS_MAX ? fault : "other faults"
    const track = this.#faults.get(fault) ?? this.#faults.get(name) ?? newFault()
    if (!this.#faults.has(fault)) this.#faults.set(name, track)
    const notes = this.#notedMs === nowMs ? this.#notes.join(", ") : ""
    this.#notes = []
    track.underWay += state === "begins" ? 1 : -1
    if (state === "begins") track.begins.mark(nowMs, "begins", notes)
    else track.ended += 1
    const detail = state === "begins" ? notes : ""
    track.lasts.set(nowMs, track.underWay > 0 ? String(track.underWay) : undefined, detail)
  }

  onPhase(phase: Phase): void {
    const fromMs = this.#advance()
    if (this.#phases.length < PHASES_MAX) this.#phases.push({ phase, fromMs })
  }

  onTick(nowMs: Millis): void {
    this.#advance()
    this.#look(nowMs)
  }

  /** Everything recorded up to now. */
  data(): TimelineData {
    const endMs = this.#advance()
    this.#look(endMs)
    const spans = (lane: Lane | undefined): readonly Span[] => lane?.spans(endMs) ?? []
    return {
      endMs,
      bucketMs: this.#grid.bucketMs,
      phases: [...this.#phases],
      nodes: this.#nodes.map((track, index) => ({
        name: track.name,
        process: spans(track.process),
        side: spans(this.#reach.sides[index]),
        disk: spans(track.disk),
        clock: spans(track.clock),
        marks: spans(track.marks),
        own: [...track.own.values],
        adopted: [...track.adopted.values],
        behind: [...track.behind.values],
      })),
      pairs: this.#reach.pairs.map(({ one, other, lane }) => ({
        one: this.#nameOf(one),
        other: this.#nameOf(other),
        cut: spans(lane),
      })),
      states: this.#reach.states(endMs),
      writers: [...this.#writers.values()].map((track) => ({
        name: track.name,
        process: spans(track.process),
        home: spans(track.home),
        writes: [...track.writes.values],
        acks: [...track.acks.values],
        pending: [...track.pending.values],
      })),
      writerCount: this.#world.writers.length,
      writes: [...this.#writes.values],
      acks: [...this.#acks.values],
      connected: [...this.#connected.values],
      pending: [...this.#pending.values],
      faults: [...this.#faults].map(([name, { begins, lasts, ended }]) => ({
        name,
        begins: spans(begins),
        lasts: spans(lasts),
        ended,
      })),
    }
  }

  /** Gives the time now. */
  #advance(): Millis {
    const { nowMs } = this.#world.scheduler
    if (this.#grid.advance(nowMs)) this.#look(nowMs)
    return nowMs
  }

  #showDivergence(): void {
    for (const [node, { behind }] of this.#nodes.entries()) {
      this.#grid.set(behind, this.#divergence.lackedBy(node))
    }
  }

  /** Looks up what nobody tells. */
  #look(nowMs: Millis): void {
    for (const [index, track] of this.#nodes.entries()) {
      const { process, disk, clock, marks } = track
      const node = this.#world.nodes[index]
      if (node?.running === true) process.set(nowMs, node.isPaused ? "paused" : undefined)
      const health = this.#probe.disk(index)
      const before = disk.now
      disk.set(nowMs, health?.what, health?.detail)
      if (health !== undefined && disk.now !== before) {
        this.#note(`disk of ${track.name}: ${health.detail}`)
      }
      const change = this.#probe.clock(index, nowMs)
      if (change?.type === "jump") {
        marks.mark(nowMs, "clock", `${(change.byMs / 1000).toFixed(1)} s`)
        this.#note(`clock of ${track.name}`)
      } else if (change !== undefined) {
        const { pace } = change
        clock.set(nowMs, pace === 1 ? undefined : "pace", `${(100 * pace).toFixed(1)} %`)
      }
    }
    this.#lookAtWriters(nowMs)
  }

  #lookAtWriters(nowMs: Millis): void {
    let connected = 0
    let pending = 0
    for (const writer of this.#world.writers) {
      const track = this.#writers.get(writer.host)
      const own = pendingOf(writer)
      pending += own
      if (track !== undefined) this.#grid.set(track.pending, own)
      if (writer.running) track?.process.set(nowMs, undefined)
      if (writer.node !== undefined) connected += 1
      const home = writer.node === undefined ? undefined : this.#nameOf(writer.node)
      track?.home.set(nowMs, home)
    }
    this.#grid.set(this.#connected, connected)
    this.#grid.set(this.#pending, pending)
  }

  #note(text: string): void {
    const { nowMs } = this.#world.scheduler
    if (this.#notedMs !== nowMs) this.#notes = []
    this.#notedMs = nowMs
    if (this.#notes.length < NOTES_MAX) this.#notes.push(text)
  }

  #nameOf(host: HostId): string {
    const count = this.#nodes.length
    if (host < count) return this.#nodes[host]?.name ?? ""
    return this.#world.writers[host - count]?.name ?? "hostile"
  }
}

function newFault(): FaultTrack {
  return { begins: new Lane(), lasts: new Lane(), underWay: 0, ended: 0 }
}

/** Updates of a native client that nobody acked yet. */
function pendingOf(writer: SimWriter): number {
  return writer.replicas.reduce((sum, { document }) => {
    return sum + (writer.sessionOf(document)?.status?.pending ?? 0)
  }, 0)
}
