/**
 * Read your writes, monotonic reads and writes follow reads, for a user who comes back with
 * nothing (a page was loaded anew, an app lost its memory), to this node or another: what nodes
 * once showed that user, or acked, is in what the next node shows, or that node says that it is
 * behind. A node can't say so of what it can't know of yet, so what is younger than a link takes
 * to fall silent is not asked for; nor is what the disk that showed it has lost since.
 */
import { limits } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
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
/** Slow paths are so many times slower at most, clocks so much. */
const SLOW_PATH_MAX = 60
const SLOW_CLOCK_MAX = 1.12
/** Faults that make a node older than it can know, for as long as they last. */
const AGEING: ReadonlySet<string> = new Set<ScoreboardRow>([
  "delay",
  "slow receiver",
  "process pause",
  "duplicate",
  "reorder between links",
])
/** An ageing fault that was over for so long does not count any more. */
const AGED_MS = 120_000
/** Users who load their page anew at the end of a run, and how long that may take. */
const RELOADS = 2
const RELOAD_MS_MAX = 30_000

class SessionGuarantees implements Watcher {
  readonly #world: World
  readonly #memories = new Map<SimWriter, Map<DocumentId, Memory>>()
  readonly #random: SimRandom
  /** Of ageing faults, by name; undefined: that fault makes nobody older. */
  readonly #lastsMsMax = new Map<string, Millis>()
  #ageing: { readonly fault: string; readonly fromMs: Millis; toMs: Millis }[] = []

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
    for (const { fault } of world.profile.faults) {
      if (AGEING.has(fault.row)) this.#lastsMsMax.set(fault.name, fault.lastsMs[1])
    }
  }

  onFault(fault: string, state: "begins" | "ends"): void {
    const lastsMs = this.#lastsMsMax.get(fault)
    if (lastsMs === undefined) return
    const { nowMs } = this.#world.scheduler
    this.#ageing = this.#ageing.filter(({ toMs }) => toMs > nowMs - AGED_MS)
    if (state === "begins") this.#ageing.push({ fault, fromMs: nowMs, toMs: nowMs + lastsMs })
    const over = this.#ageing.find((one) => one.fault === fault && one.toMs > nowMs)
    if (state === "ends" && over !== undefined) over.toMs = nowMs
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

  onTick(): void {
    this.#lookAtAll(this.#graceMs())
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
    this.#lookAtAll(0)
  }

  #hasLoaded(writer: SimWriter): boolean {
    const sessions = writer.replicas.map(({ document }) => writer.sessionOf(document))
    return sessions.length > 0 && sessions.every((session) => session?.current === true)
  }

  #lookAtAll(graceMs: Millis): void {
    const fromMs = this.#world.scheduler.nowMs - graceMs
    for (const [writer, memories] of this.#memories) {
      if (!writer.running || writer.node === undefined) continue
      for (const [document, memory] of memories) {
        this.#look(writer, writer.node, document, memory, fromMs)
      }
    }
  }

  #look(
    writer: SimWriter,
    node: HostId,
    document: DocumentId,
    memory: Memory,
    fromMs: Millis,
  ): void {
    const session = writer.sessionOf(document)
    if (session === undefined || !session.current) return
    if (memory.unsaved.length > 0 && session.status?.savedTo === "node") {
      const atMs = this.#world.scheduler.nowMs
      for (const update of memory.unsaved) memory.seen.push({ update, node, atMs })
      memory.unsaved = []
    }
    if (memory.view === session.view || this.#mayBeBehind(writer)) return
    if (memory.view !== undefined) this.#compare(writer, document, memory, session.view, fromMs)
    memory.view = session.view
  }

  #compare(
    writer: SimWriter,
    document: DocumentId,
    memory: Memory,
    view: ReplicaView,
    fromMs: Millis,
  ): void {
    const { attempts, ledger } = this.#world.oracle
    for (const { update, node, atMs } of memory.seen) {
      if (atMs > fromMs) return
      const ops = attempts.opsOf(document, update)
      const missing = view.missing(ops)
      if (missing === undefined || ledger.holdings(node).lacks(document, ops) !== undefined)
        continue
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

  /** Until a node knows that a peer has fallen silent, or has from it what the peer had then. */
  #graceMs(): Millis {
    const { network } = this.#world.profile
    const { nowMs } = this.#world.scheduler
    const agedMs = this.#ageing
      .filter(({ toMs }) => toMs > nowMs - AGED_MS)
      .reduce((sum, { fromMs, toMs }) => sum + Math.min(toMs, nowMs) - fromMs, 0)
    const slowMs = TAIL * network.nodeDelayMs * (agedMs > 0 ? SLOW_PATH_MAX : 1)
    const timersMs = limits.linkSilentMs + limits.linkPingMs + 2 * limits.sweepMs
    return timersMs * SLOW_CLOCK_MAX + slowMs + agedMs
  }
}

const INVARIANT = "session-guarantees"

export const sessionGuarantees: Invariant = {
  name: INVARIANT,
  explain: "a user who comes back sees at least what was shown or acked before, or is told",
  watch: (world, random) => new SessionGuarantees(world, random),
}
