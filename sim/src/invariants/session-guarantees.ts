/**
 * Read your writes, monotonic reads and writes follow reads, for a user who comes back with
 * nothing (a page was loaded anew, an app lost its memory), to this node or another: what nodes
 * once showed that user, or acked, is in what the next node shows, or that node says that it is
 * behind. A node can't say so of what it can't know of yet, so what was shown less than a link's
 * silence before the user came is not asked for, where only time counts in which the node could
 * hear its peer; nor is what the disk that showed it has lost since.
 */
import { limits, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { decodeRecord } from "@causeway/crdt/log"
import type { ReplicaView } from "../checkers/client-view.ts"
import type { ScoreboardRow } from "../faults/fault.ts"
import type { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import type { Invariant } from "./invariant.ts"

/** One update, shown to a user or acked, by which node and when. */
type Seen = { readonly update: Uint8Array; readonly node: HostId; readonly atMs: Millis }

/** What one user knows of one document. */
type Memory = {
  readonly seen: Seen[]
  /** Written, and not known to be saved yet. */
  unsaved: Uint8Array[]
  /** The replica that was last compared with it; another one started with nothing. */
  view: ReplicaView | undefined
}

/** The newest are kept: an old one that is missing would be missed much sooner. */
const SEEN_MAX = 5000
/** Of a frame's delay, a typical one; far more than nearly all take. */
const TAIL = 10
/** Clocks are so many times slower at most. */
const SLOW_CLOCK_MAX = 1.12
/** How often it is looked who can't be heard; faults that begin are seen at once. */
const LOOK_MS = 1000
/** Faults of which nobody says whom they hit, and how much older they can make any node. */
const AGEING: ReadonlySet<string> = new Set<ScoreboardRow>(["duplicate", "reorder between links"])
/** A message that is said again comes so much later at most. */
const REPEATED_MS_MAX = 5000
/** Stretches that are kept of each path: the newest. */
const STRETCHES_MAX = 200

/** Users who load their page anew at the end of a run, and how long that may take. */
const RELOADS = 2
const RELOAD_MS_MAX = 30_000

type Stretch = { readonly fromMs: Millis; toMs: Millis }

class SessionGuarantees implements Watcher {
  readonly #world: World
  readonly #memories = new Map<SimWriter, Map<DocumentId, Memory>>()
  readonly #random: SimRandom
  readonly #diskChangedMs = new Map<HostId, Millis>()
  /** Of ageing faults, by name; undefined: that fault makes nobody older. */
  readonly #lastsMsMax = new Map<string, Millis>()
  /** When something kept a node from hearing another, by path, host, and for all. */
  readonly #deaf = new Map<string, Stretch[]>()
  /** Since when each writer is connected to its node. */
  readonly #sinceMs = new Map<SimWriter, Millis>()

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
    for (const { fault } of world.profile.faults) {
      if (AGEING.has(fault.row)) this.#lastsMsMax.set(fault.name, fault.lastsMs[1])
    }
  }

  onFault(fault: string, state: "begins" | "ends"): void {
    this.#listen()
    const lastsMs = this.#lastsMsMax.get(fault)
    if (lastsMs === undefined || state === "ends") return
    const { nowMs } = this.#world.scheduler
    this.#note("all", nowMs, nowMs + lastsMs + REPEATED_MS_MAX)
  }

  onConnected(writer: SimWriter, node: HostId | undefined): void {
    if (node === undefined) this.#sinceMs.delete(writer)
    else this.#sinceMs.set(writer, this.#world.scheduler.nowMs)
  }

  /** Notes which nodes can't hear now, or not from whom. */
  #listen(): void {
    const { scheduler, network, nodes, profile } = this.#world
    const { nowMs } = scheduler
    const { reading, reachability } = network
    for (const { host, isPaused } of nodes) {
      const isStalled = reading.readsAtMs(host, 0) > nowMs || reading.takesMs(host, 1) > 0
      if (isPaused || isStalled) this.#note(`${host}`, nowMs - LOOK_MS, nowMs + LOOK_MS)
      for (const { host: from } of nodes) {
        const slowness = reachability.slowness(from, host)
        const lateMs = LOOK_MS + TAIL * profile.network.nodeDelayMs * slowness
        if (slowness > 1) this.#note(`${from} ${host}`, nowMs - LOOK_MS, nowMs + lateMs)
      }
    }
  }

  #note(where: string, fromMs: Millis, toMs: Millis): void {
    const stretches = this.#deaf.get(where) ?? []
    this.#deaf.set(where, stretches)
    const last = stretches.at(-1)
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs)
    else stretches.push({ fromMs, toMs })
    if (stretches.length > STRETCHES_MAX) stretches.shift()
  }

  onWrite(writer: SimWriter, document: DocumentId, _token: string, update: Uint8Array): void {
    this.#memory(writer, document).unsaved.push(update)
  }

  onDelivered(writer: SimWriter, document: DocumentId, updates: readonly Uint8Array[]): void {
    const { node } = writer
    if (node === undefined) return
    const { seen } = this.#memory(writer, document)
    const atMs = this.#world.scheduler.nowMs
    for (const update of updates) seen.push({ update, node, atMs })
    if (seen.length > 2 * SEEN_MAX) seen.splice(0, seen.length - SEEN_MAX)
  }

  /** What was not acked may be gone with its writer. */
  onForgotten(writer: SimWriter): void {
    for (const memory of this.#memories.get(writer)?.values() ?? []) memory.unsaved = []
  }

  onDiskChanged(node: HostId): void {
    this.#diskChangedMs.set(node, this.#world.scheduler.nowMs)
  }

  onTick(): void {
    this.#listen()
    this.#lookAtAll(false)
  }

  /** All is well and level, so nothing is too young to be asked for. */
  onRest(): void {
    const { writers, scheduler } = this.#world
    const reloading = this.#random.shuffled(writers).slice(0, RELOADS)
    for (const writer of reloading) {
      writer.crash("kept")
      writer.start()
    }
    const untilMs = scheduler.nowMs + RELOAD_MS_MAX
    while (scheduler.nowMs < untilMs) {
      scheduler.runUntil(scheduler.nowMs + 250)
      if (reloading.every((writer) => this.#hasLoaded(writer))) break
    }
    for (const writer of reloading) {
      demand(this.#hasLoaded(writer), "liveness", () => `${writer.name} can't load its documents`)
    }
    this.#lookAtAll(true)
  }

  #hasLoaded(writer: SimWriter): boolean {
    const sessions = writer.replicas.map(({ document }) => writer.sessionOf(document))
    return sessions.length > 0 && sessions.every((session) => session?.current === true)
  }

  #lookAtAll(atRest: boolean): void {
    for (const [writer, memories] of this.#memories) {
      if (!writer.running || writer.node === undefined) continue
      for (const [document, memory] of memories) {
        this.#look(writer, writer.node, document, memory, atRest)
      }
    }
  }

  #look(
    writer: SimWriter,
    node: HostId,
    document: DocumentId,
    memory: Memory,
    atRest: boolean,
  ): void {
    const session = writer.sessionOf(document)
    if (session === undefined || !session.current) return
    if (memory.unsaved.length > 0 && session.status?.savedTo === "node") {
      const atMs = this.#world.scheduler.nowMs
      for (const update of memory.unsaved) memory.seen.push({ update, node, atMs })
      memory.unsaved = []
    }
    if (memory.view === session.view || this.#mayBeBehind(writer)) return
    if (memory.view !== undefined)
      this.#compare(writer, node, document, memory, session.view, atRest)
    memory.view = session.view
  }

  /** Its disk was put back since: what it lost may be on its way again, to it and to the user. */
  #isOlder(serving: HostId, atMs: Millis): boolean {
    return (this.#diskChangedMs.get(serving) ?? -Infinity) > atMs
  }

  /** A predecessor is nowhere, or not there so far: what stands on it is held and not shown. */
  #waitsAt(serving: HostId, document: DocumentId): boolean {
    const engine = this.#world.engines[partsOfDocumentId(document).engine]
    const entries = this.#world.nodes[serving]?.disk.durable.readDocument(document) ?? []
    const state = engine.merge(entries.map(({ record }) => decodeRecord(record).body))
    return engine.frontier(state).pendingBytes > 0
  }

  #compare(
    writer: SimWriter,
    serving: HostId,
    document: DocumentId,
    memory: Memory,
    view: ReplicaView,
    atRest: boolean,
  ): void {
    const { attempts, ledger } = this.#world.oracle
    const untilMs = new Map<HostId, Millis>()
    for (const { update, node, atMs } of memory.seen) {
      const shownMs = untilMs.get(node) ?? this.#knownUntilMs(writer, node, serving)
      untilMs.set(node, shownMs)
      if (!atRest && (atMs > shownMs || this.#isOlder(serving, atMs))) continue
      const ops = attempts.opsOf(document, update)
      const missing = view.missing(ops)
      if (missing === undefined || ledger.holdings(node).lacks(document, ops) !== undefined)
        continue
      // It is on its way to a stock client, which was told nothing while the node lacked it.
      if (writer.kind === "stock" && ledger.holdings(serving).lacks(document, ops) === undefined)
        continue
      if (this.#waitsAt(serving, document)) continue
      const shownBy = this.#world.nodes[node]?.node
      demand(false, INVARIANT, () => {
        const ago = Math.round(this.#world.scheduler.nowMs - atMs)
        const now = this.#world.nodes[writer.node ?? -1]?.node
        return (
          `${writer.name} knew ${missing} of ${document} from ${shownBy} ${ago} ms ago;` +
          ` ${now} serves it without, and does not say that it is behind`
        )
      })
    }
  }

  #memory(writer: SimWriter, document: DocumentId): Memory {
    const memories = this.#memories.get(writer) ?? new Map<DocumentId, Memory>()
    this.#memories.set(writer, memories)
    const memory = memories.get(document) ?? { seen: [], unsaved: [], view: undefined }
    memories.set(document, memory)
    return memory
  }

  /** What the node said to a native client; a stock one is told nothing, so the node is asked. */
  #mayBeBehind({ peers, kind, node }: SimWriter): boolean {
    if (kind === "native") {
      return peers === undefined || peers.some(({ linked, behind }) => !linked || behind > 0)
    }
    const status = node === undefined ? undefined : this.#world.nodes[node]?.core?.status()
    return (
      status === undefined ||
      status.peers.some((peer) => peer.state !== "linked" || peer.behind > 0)
    )
  }

  /**
   * What `shower` showed until then, `serving` has or knows that it lacks, when the writer came to
   * it: since then it could hear for as long as it takes to notice that a peer fell silent, and to
   * dial once more.
   */
  #knownUntilMs(writer: SimWriter, shower: HostId, serving: HostId): Millis {
    const cameMs = this.#sinceMs.get(writer)
    if (cameMs === undefined) return -Infinity
    if (shower === serving) return cameMs
    const { nodeDelayMs } = this.#world.profile.network
    const timersMs = limits.linkSilentMs + limits.linkBackoffMsMax + limits.sweepMs
    let leftMs = timersMs * SLOW_CLOCK_MAX + TAIL * nodeDelayMs
    let atMs = cameMs
    const stretches = ["all", `${serving}`, `${shower} ${serving}`]
      .flatMap((where) => this.#deaf.get(where) ?? [])
      .toSorted((one, other) => other.toMs - one.toMs)
    for (const { fromMs, toMs } of stretches) {
      if (fromMs >= atMs) continue
      if (atMs - toMs >= leftMs) break
      leftMs -= Math.max(0, atMs - toMs)
      atMs = fromMs
    }
    return atMs - leftMs
  }
}

const INVARIANT = "session-guarantees"

export const sessionGuarantees: Invariant = {
  name: INVARIANT,
  explain: "a user who comes back sees at least what was shown or acked before, or is told",
  watch: (world, random) => new SessionGuarantees(world, random),
}
