/**
 * Read your writes, monotonic reads and writes follow reads, for a user who comes to a node, the
 * same or another: what nodes once showed that user, or acked, that node has, or it says that it is
 * behind the one that did. Who comes with nothing (a page was loaded anew) is shown it, too. A node
 * can't say so of what it can't know of yet: asked for is what the other's vectors told it of
 * before the user came (`hearsay.ts`), and all that is older than a link's silence, where only time
 * counts in which it could hear its peer; not what the disk that showed it, or the one that serves
 * it, has lost since.
 */
import { limits, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import type { PeerFreshness } from "@causeway/crdt/protocol"
import type { ReplicaView } from "../checkers/client-view.ts"
import { bodiesOf } from "../checkers/content.ts"
import type { SimRandom } from "../random.ts"
import { isAtNode } from "../open-document.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { DiskChange, Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"
import { Coverage, opsOf } from "../checkers/coverage.ts"
import type { Ops } from "../checkers/coverage.ts"
import { Deafness } from "./deafness.ts"
import { DiskLosses } from "./disk-losses.ts"
import { Hearsay } from "./hearsay.ts"
import { notHeldBack } from "./held-back.ts"
import type { Invariant } from "./invariant.ts"
import { hasEntriesOf } from "./same-entries.ts"

/** One update, shown to a user or acked, by which node and when. */
type Seen = {
  readonly update: Uint8Array
  /** Read when it is first asked for. */
  ops: Ops | undefined
  readonly node: HostId
  readonly atMs: Millis
  /** When that node had it, at the latest. */
  readonly heldMs: Millis
}

/** A connection to a node. */
type Visit = {
  readonly node: HostId
  readonly cameMs: Millis
  /** What the node was told of by each other when the user came. */
  readonly toldMs: ReadonlyMap<HostId, Millis>
}

/** What one user knows of one document. */
type Memory = {
  readonly seen: Seen[]
  /** Written, and not known to be saved yet. */
  unsaved: Uint8Array[]
  /** The replica that was last compared with it; another one started with nothing. */
  view: ReplicaView | undefined
  /** The connection on which that was. */
  visit: Visit | undefined
  /** Nodes that the one that serves it said it was behind, so far. */
  readonly behind: Set<HostId>
}

/** The newest are kept: an old one that is missing would be missed much sooner. */
const SEEN_MAX = 5000
/** Users who load their page anew at the end of a run, and how long that may take. */
const RELOADS = 2
const RELOAD_MS_MAX = 30_000

type Look = {
  readonly view: ReplicaView | undefined
  readonly atRest: boolean
  /** Of these nodes only. */
  readonly again?: ReadonlySet<HostId>
}

/** Up to when a node knows what another has: what it showed until then, or held before then. */
type Known = { readonly shownMs: Millis; readonly heldMs: Millis }

export class SessionGuarantees implements Watcher {
  readonly #world: World
  readonly #hearsay: Hearsay
  readonly #memories = new Map<SimWriter, Map<DocumentId, Memory>>()
  readonly #random: SimRandom
  readonly #diskLosses: DiskLosses
  readonly #deafness: Deafness
  readonly #visits = new Map<SimWriter, Visit>()
  /** What was served just now, of which the user's client may have said so only since. */
  readonly #served = new Map<SimWriter, Set<DocumentId>>()
  #compared = 0
  #comparedAsTold = 0

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#hearsay = new Hearsay(world)
    this.#diskLosses = new DiskLosses(world)
    this.#random = random
    this.#deafness = new Deafness(world)
  }

  onFault(fault: string, state: "begins" | "ends"): void {
    this.#deafness.onFault(fault, state)
  }

  /** Updates that one node had shown and another was asked for, while faults went on. */
  get compared(): number {
    return this.#compared
  }

  /** Those of them that are asked for only because the other had been told (`hearsay.ts`). */
  get comparedAsTold(): number {
    return this.#comparedAsTold
  }

  onConnected(writer: SimWriter, node: HostId | undefined): void {
    const left = this.#visits.get(writer)
    if (left !== undefined) this.#noteSaved(writer, left.node)
    this.#visits.delete(writer)
    if (node === undefined) return
    const { nodes, scheduler } = this.#world
    const { nowMs: cameMs } = scheduler
    const toldMs = nodes.map(
      ({ host }) => [host, this.#hearsay.toldMs(host, node, cameMs)] as const,
    )
    this.#visits.set(writer, { node, cameMs, toldMs: new Map(toldMs) })
  }

  onNodeStarted(node: SimNode): void {
    this.#hearsay.onNodeStarted(node)
  }

  onNodeInput(node: SimNode, input: Input): void {
    this.#hearsay.onNodeInput(node, input)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    this.#hearsay.onNodeEffect(node, effect)
  }

  onNodeEnded(node: SimNode): void {
    this.#hearsay.onNodeEnded(node)
  }

  onWrite(writer: SimWriter, document: DocumentId, _token: string, update: Uint8Array): void {
    this.#memory(writer, document).unsaved.push(update)
  }

  onDelivered(writer: SimWriter, document: DocumentId, updates: readonly Uint8Array[]): void {
    const { node } = writer
    if (node === undefined) return
    this.#see(this.#memory(writer, document), updates, node)
    const served = this.#served.get(writer) ?? new Set<DocumentId>()
    this.#served.set(writer, served.add(document))
  }

  #see({ seen }: Memory, updates: readonly Uint8Array[], node: HostId): void {
    const atMs = this.#world.scheduler.nowMs
    const heldMs = this.#hearsay.heldMs(node)
    for (const update of updates) seen.push({ update, ops: undefined, node, atMs, heldMs })
    if (seen.length > 2 * SEEN_MAX) seen.splice(0, seen.length - SEEN_MAX)
  }

  #noteSaved(writer: SimWriter, node: HostId): void {
    for (const [document, memory] of this.#memories.get(writer) ?? []) {
      if (memory.unsaved.length === 0) continue
      if (!isAtNode(writer.sessionOf(document))) continue
      this.#see(memory, memory.unsaved, node)
      memory.unsaved = []
    }
  }

  /** Whatever happens next: what was served is looked at before more is. */
  onArrived(): void {
    if (this.#served.size > 0) this.#lookAtServed()
  }

  #lookAtServed(): void {
    for (const [writer, documents] of this.#served) {
      for (const document of documents) {
        this.#look(writer, document, this.#memory(writer, document))
      }
    }
    this.#served.clear()
  }

  onDiscarded(writer: SimWriter, document: DocumentId): void {
    this.#memory(writer, document).unsaved = []
  }

  /** What was not acked may be gone with its writer. */
  onForgotten(writer: SimWriter): void {
    for (const memory of this.#memories.get(writer)?.values() ?? []) memory.unsaved = []
  }

  onDiskChanged(node: HostId, change: DiskChange): void {
    this.#diskLosses.onDiskChanged(node, change)
  }

  onTick(): void {
    this.#deafness.onTick()
    for (const [writer, memories] of this.#memories) {
      const { node } = writer
      if (!writer.running || node === undefined) continue
      this.#noteSaved(writer, node)
      for (const [document, memory] of memories) this.#look(writer, document, memory)
    }
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
    for (const writer of reloading) {
      for (const [document, memory] of this.#memories.get(writer) ?? []) {
        const session = writer.sessionOf(document)
        const visit = this.#visits.get(writer)
        if (session === undefined || visit === undefined) continue
        this.#compare(writer, document, memory, visit, { view: session.view, atRest: true })
      }
    }
  }

  #hasLoaded(writer: SimWriter): boolean {
    const sessions = writer.replicas.map(({ document }) => writer.sessionOf(document))
    return sessions.length > 0 && sessions.every((session) => session?.current === true)
  }

  /** Once for each connection and replica; again of nodes that it was behind. */
  #look(writer: SimWriter, document: DocumentId, memory: Memory): void {
    const session = writer.sessionOf(document)
    const visit = this.#visits.get(writer)
    if (session?.current !== true || visit === undefined) return
    const isFresh = memory.view !== session.view
    if (isFresh || memory.visit !== visit) {
      memory.behind.clear()
      const view = isFresh ? session.view : undefined
      this.#compare(writer, document, memory, visit, { view, atRest: false })
      memory.view = session.view
      memory.visit = visit
      return
    }
    const again = new Set([...memory.behind].filter((node) => !this.#isBehind(writer, node)))
    if (again.size === 0) return
    for (const node of again) memory.behind.delete(node)
    this.#compare(writer, document, memory, visit, { view: undefined, atRest: false, again })
  }

  /** A predecessor is nowhere, or not there so far: what stands on it is held and not shown. */
  #shownBy(serving: HostId, document: DocumentId, ops: Ops): Ops {
    const { engines, oracle } = this.#world
    const { log } = oracle.ledger.holdings(serving)
    const held = oracle.ledger.holdings(serving).coverage(document)
    const engine = engines[partsOfDocumentId(document).engine]
    return notHeldBack(engine, bodiesOf(log, document), held, ops)
  }

  /** `view`: of a replica that started with nothing; undefined: only the node is asked. */
  #compare(
    writer: SimWriter,
    document: DocumentId,
    memory: Memory,
    visit: Visit,
    { view, atRest, again }: Look,
  ): void {
    const { ledger } = this.#world.oracle
    const known = new Map<HostId, Known>()
    const mixedUp = this.#mixedUp(document, visit)
    for (const seen of memory.seen) {
      const { node } = seen
      if (mixedUp.has(node) || (node === visit.node && view === undefined)) continue
      if (again?.has(node) === false || memory.behind.has(node)) continue
      if (this.#isBehind(writer, node)) {
        memory.behind.add(node)
        continue
      }
      const until = known.get(node) ?? this.#knownBy(visit, node)
      known.set(node, until)
      if (!atRest && !this.#isDue(document, seen, visit, until)) continue
      const ops = this.#opsOf(document, seen)
      const missing = this.#missing(
        writer,
        document,
        ops,
        { from: node, serving: visit.node },
        view,
      )
      if (missing === undefined) continue
      if (ledger.holdings(node).lacks(document, ops) !== undefined) continue
      demand(false, INVARIANT, () => this.#words(writer, document, seen, missing, view))
    }
  }

  /**
   * Nodes of which nobody can say what they showed, as one name stands for two entries: two nodes
   * don't know which of them the other has, and a node takes a resume point in a branch of which
   * nobody knows any more for one in the other.
   */
  #mixedUp(document: DocumentId, visit: Visit): Set<HostId> {
    const { ledger } = this.#world.oracle
    const mixedUp = new Set<HostId>()
    if (ledger.forks.count === 0 || !ledger.isForked(document)) return mixedUp
    const isSilent = ledger.hasSilentFork(document)
    for (const { host } of this.#world.nodes) {
      if (isSilent || host !== visit.node) mixedUp.add(host)
    }
    return mixedUp
  }

  /** Without deletions that Yjs makes by itself, as a node does that folds: no log has those. */
  #attempted(document: DocumentId, update: Uint8Array): Ops {
    const { attempts } = this.#world.oracle
    const ops = attempts.opsOf(document, update)
    const { deleted } = attempts.coverage(document).lacking(ops)
    if (deleted.length === 0) return ops
    const byItself = new Coverage()
    byItself.add({ added: [], deleted })
    return { ...ops, deleted: byItself.lacking({ added: [], deleted: ops.deleted }).deleted }
  }

  #opsOf(document: DocumentId, seen: Seen): Ops {
    seen.ops ??= this.#attempted(document, seen.update)
    return seen.ops
  }

  #isDue(document: DocumentId, seen: Seen, visit: Visit, until: Known): boolean {
    const { node, atMs, heldMs } = seen
    if (atMs > until.shownMs && heldMs >= until.heldMs) return false
    // What a disk lost since may be coming again, to it and to the user. A page of a transfer may
    // have left it before: of that no vector tells.
    const losses = this.#diskLosses
    const ops = this.#opsOf(document, seen)
    const sinceMs = heldMs - limits.transferPatienceMs
    const hosts = [visit.node, node]
    if (hosts.some((host) => losses.mayHaveLost(host, document, ops, sinceMs))) return false
    if (node === visit.node) return true
    this.#compared += 1
    if (atMs > until.shownMs) this.#comparedAsTold += 1
    return true
  }

  #missing(
    writer: SimWriter,
    document: DocumentId,
    ops: Ops,
    { from, serving }: { readonly from: HostId; readonly serving: HostId },
    view: ReplicaView | undefined,
  ): string | undefined {
    const holdings = this.#world.oracle.ledger.holdings(serving)
    if (view === undefined) {
      const lacking = holdings.lacks(document, ops)
      const isFolded = lacking !== undefined && hasEntriesOf(this.#world, serving, from)
      return isFolded ? undefined : lacking
    }
    const missing = view.missing(ops)
    if (missing === undefined) return undefined
    // It is on its way to a stock client, which was told nothing while the node lacked it.
    if (writer.kind === "stock" && holdings.lacks(document, ops) === undefined) return undefined
    const shown = this.#shownBy(serving, document, ops)
    if (view.missing(shown) === undefined) return undefined
    // Yjs deletes by itself what a later write of the same key replaces, and nobody sends that.
    const replica = writer.replicas.find((each) => each.document === document)
    if (replica === undefined) return view.missing(shown)
    const engine = this.#world.engines[partsOfDocumentId(document).engine]
    const gone = new Coverage()
    gone.add({ added: [], deleted: opsOf(engine, replica.state()).deleted })
    const { deleted } = gone.lacking({ added: [], deleted: shown.deleted })
    return view.missing({ ...shown, deleted })
  }

  #words(
    writer: SimWriter,
    document: DocumentId,
    { node, atMs }: Seen,
    missing: string,
    view: ReplicaView | undefined,
  ): string {
    const ago = Math.round(this.#world.scheduler.nowMs - atMs)
    const nodeOf = (host: HostId | undefined) => this.#world.nodes[host ?? -1]?.node
    return (
      `${writer.name} knew ${missing} of ${document} from ${nodeOf(node)} ${ago} ms ago;` +
      ` ${nodeOf(writer.node)} ${view === undefined ? "lacks it" : "serves it without"},` +
      ` and does not say that it is behind`
    )
  }

  #memory(writer: SimWriter, document: DocumentId): Memory {
    const memories = this.#memories.get(writer) ?? new Map<DocumentId, Memory>()
    this.#memories.set(writer, memories)
    const known = memories.get(document)
    if (known !== undefined) return known
    const unknown = { view: undefined, visit: undefined, behind: new Set<HostId>() }
    const memory: Memory = { seen: [], unsaved: [], ...unknown }
    memories.set(document, memory)
    return memory
  }

  /**
   * Whether the node says that it is behind `peer`: to a native client, which takes a peer that it
   * says nothing of for none at all. A stock one is told nothing, so the node is asked.
   */
  #isBehind({ name: user, peers, kind, node }: SimWriter, peer: HostId): boolean {
    const name = this.#world.nodes[peer]?.node
    if (kind === "native") {
      const isBehind = (one: PeerFreshness) => one.node === name && (!one.linked || one.behind > 0)
      demand(peers !== undefined, INVARIANT, () => {
        return `${user} shows what is current, and was not told how fresh its node is`
      })
      return peers.some(isBehind)
    }
    const status = node === undefined ? undefined : this.#world.nodes[node]?.core?.status()
    if (status === undefined) return true
    return status.peers.some((one) => {
      // Nodes of the simulator are named as they are addressed.
      const isHim = (one.node ?? one.address) === name
      return isHim && (one.state !== "linked" || one.behind > 0)
    })
  }

  #knownBy(visit: Visit, shower: HostId): Known {
    const { node: serving, cameMs, toldMs } = visit
    if (shower === serving) return { shownMs: cameMs, heldMs: -Infinity }
    const nowMs = this.#hearsay.toldMs(shower, serving, cameMs)
    const heldMs = Math.min(toldMs.get(shower) ?? -Infinity, nowMs)
    return { shownMs: this.#deafness.knownUntilMs(shower, visit.node, visit.cameMs), heldMs }
  }
}

const INVARIANT = "session-guarantees"

export const sessionGuarantees: Invariant = {
  name: INVARIANT,
  explain: "a user who comes back sees at least what was shown or acked before, or is told",
  watch: (world, random) => new SessionGuarantees(world, random),
}
