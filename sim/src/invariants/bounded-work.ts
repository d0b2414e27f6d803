/**
 * Boundedness all through the run: no batch, frame or full socket takes more than its named limit,
 * nobody dials or talks in a tight loop, no more reads of documents and appends are asked of a disk
 * at a time than take turns there, and a node logs as its own only what clients handed to this life
 * of it, each as often as it came; an opening makes no log longer. At rest nothing is written or
 * dialled any more, and what is said are heartbeats and digests. Counted per stretch of
 * `WINDOW_MS`.
 */
import { DecodeError, limits } from "@causeway/crdt/base"
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import { decodeUpdate } from "@causeway/crdt/log"
import type { Effect, Endpoint, Input } from "@causeway/crdt/node"
import {
  decodeClientMessage,
  decodeNodeMessage,
  linkTags,
  nativeTags,
} from "@causeway/crdt/protocol"
import { decodeYMessage } from "@causeway/crdt/protocol/stock"
import { checksum } from "../checksum.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { DiskChange, Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

const WINDOW_MS = 10_000

/** Per window. Seen in ordinary runs: a fifth at most. */
const most = {
  /** Of one node to one address: a tight loop would make thousands. */
  dials: 60,
  /**
   * On one link, apart from entries: vectors may leave every `linkVectorSoonMs`, jittered, and
   * somebody who lies about what they hold is asked once for each origin.
   */
  control: (2 * WINDOW_MS) / limits.linkVectorSoonMs + limits.originsMax,
  /** To one connection at rest: a ping and its answer each `linkPingMs`, presence once renewed. */
  atRest: 40,
  /** What trees stand for may be of before the rest, and a round may begin within a window. */
  digestBytesAtRest: 2 * limits.digestRoundBytes,
  /** Batches of floors and snapshots at rest: what is left to do when it begins. */
  maintenance: 500,
} as const

/** Frames of entries that were being read when a link's socket was full. */
const READS_UNDER_WAY = 1
/** Planned tasks at rest, per pair of hosts that may be connected. */
const TASKS_MAX = 10

/** What one life of a node may have under way at a time. */
const turns = {
  /** Of whole documents, or what a client lacks of one. */
  documentReads: limits.documentReadsMax,
  /** Group commit: what comes meanwhile fills the next batch [D4]. */
  appends: 1,
} as const

type Send = Extract<Effect, { type: "send" }>
/** Asked and not answered. */
type Asked = { readonly documentReads: Set<number>; readonly appends: Set<number> }

class BoundedWork implements Watcher {
  readonly #world: World
  /**
   * Who may each bring deletions at rest that no log has: those that Yjs makes of two values for
   * one key, which a node that was asked to repeat itself logs once ([Y4]).
   */
  readonly #stockClients: number
  readonly #endpoints = new Map<ConnectionId, Endpoint["type"]>()
  /** Frames of entries since the socket was full. */
  readonly #congested = new Map<ConnectionId, number>()
  #window = new Map<string, number>()
  #windowFromMs: Millis = 0
  #atRest = false
  /** Updates that came to this life of a node and that it did not log yet; some it never does. */
  readonly #unlogged = new Map<HostId, Map<string, number>>()
  readonly #asked = new Map<HostId, Asked>()
  /** How many entries a node's disk holds. */
  readonly #held = new Map<HostId, number>()

  constructor(world: World) {
    this.#world = world
    this.#stockClients = world.writers.filter(({ kind }) => kind === "stock").length
  }

  onNodeStarted({ host }: SimNode): void {
    this.#unlogged.set(host, new Map())
    this.#asked.set(host, { documentReads: new Set(), appends: new Set() })
  }

  onDurable(host: HostId): void {
    this.#held.set(host, this.#entriesOn(host))
  }

  /**
   * What a renewal logs again it has cut off elsewhere, but what only snapshots held; a cut is one
   * entry more.
   */
  onDiskChanged(host: HostId, change: DiskChange): void {
    const before = this.#held.get(host) ?? 0
    const after = this.#entriesOn(host)
    this.#held.set(host, after)
    const afterMax = before + 1 + this.#world.documents.length
    demand(change !== "renewed" || after <= afterMax, INVARIANT, () => {
      return `an opening made ${after} entries of ${before}`
    })
  }

  #entriesOn(host: HostId): number {
    const heads = this.#world.oracle.ledger.holdings(host).log.heads()
    return heads.reduce((sum, [, { seq }]) => sum + seq, 0)
  }

  onNodeInput({ host }: SimNode, input: Input): void {
    switch (input.type) {
      case "opened":
        this.#endpoints.set(input.connection, input.endpoint.type)
        return
      case "frame":
        return this.#noteUpdates(host, this.#endpoints.get(input.connection), input.frame)
      case "congested":
        this.#congested.set(input.connection, 0)
        return
      case "closed":
        this.#endpoints.delete(input.connection)
        this.#congested.delete(input.connection)
        return
      case "drained":
        this.#congested.delete(input.connection)
        return
      case "read-done":
        this.#asked.get(host)?.documentReads.delete(input.read)
        return
      case "committed":
        this.#asked.get(host)?.appends.delete(input.batch)
        return
      default:
    }
  }

  #noteUpdates(host: HostId, door: Endpoint["type"] | undefined, frame: Uint8Array): void {
    const unlogged = this.#unlogged.get(host)
    if (unlogged === undefined) return
    for (const update of updatesIn(door, frame)) {
      const key = nameOf(update)
      unlogged.set(key, (unlogged.get(key) ?? 0) + 1)
    }
  }

  /** Also if the append fails: whoever wrote it then hands it in again. */
  #checkOwn({ host, node }: SimNode, own: readonly Uint8Array[]): void {
    const unlogged = this.#unlogged.get(host)
    for (const record of own) {
      const update = decodeUpdate(record)
      if (update === undefined) continue
      const { document, body } = update
      const key = nameOf(body)
      const left = unlogged?.get(key) ?? 0
      demand(left > 0, INVARIANT, () => {
        return `${node} logs an update of ${document} more often than clients handed it in`
      })
      if (left === 1) unlogged?.delete(key)
      else unlogged?.set(key, left - 1)
    }
  }

  onNodeEffect(simNode: SimNode, effect: Effect): void {
    const { node } = simNode
    switch (effect.type) {
      case "dial":
        return this.#count(`dials of ${node} to ${effect.address}`, this.#atRest ? 0 : most.dials)
      case "append":
        this.#ask(simNode, "appends", effect.batch)
        this.#checkOwn(simNode, effect.entries.own)
        return this.#checkBatch(node, effect)
      case "read":
        if (effect.query.type !== "document") return
        return this.#ask(simNode, "documentReads", effect.read)
      case "send":
        return this.#checkSend(node, effect)
      default:
    }
  }

  #ask({ host, node }: SimNode, what: keyof Asked, id: number): void {
    const asked = this.#asked.get(host)?.[what].add(id).size ?? 0
    demand(
      asked <= turns[what],
      INVARIANT,
      () => `${node} has ${asked} ${what} under way at a time`,
    )
  }

  #checkBatch(node: string, { entries }: Extract<Effect, { type: "append" }>): void {
    const adopted = entries.adopted.flatMap(({ records }) => records)
    const all = [...entries.own, ...adopted]
    const bytes = all.reduce((sum, record) => sum + record.length, 0)
    // A whole run joins a batch that is not full; it may have been the last to do so.
    const lastRun = entries.adopted.at(-1)?.records.length ?? 0
    const before = all.length - Math.max(lastRun, 1)
    demand(
      before < limits.openBatchEntriesMax && bytes <= limits.openBatchBytesMax,
      INVARIANT,
      () => {
        return `${node} appends ${all.length} entries of ${bytes} bytes at once`
      },
    )
    // What the log does about itself ends by itself: each floor moves, each fold has what to fold.
    const isMaintenance = all.length === 0 && Object.keys(entries).length > 2
    if (!this.#atRest) return
    if (isMaintenance) this.#count(`maintenance of ${node} at rest`, most.maintenance)
    else this.#count(`appends of ${node} at rest`, this.#stockClients)
  }

  #checkSend(node: string, { to, frames }: Send): void {
    for (const connection of to) {
      const endpoint = this.#endpoints.get(connection)
      if (this.#atRest) this.#checkAtRest(node, connection, endpoint, frames)
      if (endpoint === undefined || endpoint === "y-websocket") continue
      if (endpoint === "native") this.#checkNative(node, connection, frames)
      else this.#checkLink(node, connection, frames)
    }
  }

  /** Digests are compared in the background, whoever is quiet, within the bytes of [G4]. */
  #checkAtRest(
    node: string,
    connection: ConnectionId,
    endpoint: Endpoint["type"] | undefined,
    frames: readonly Uint8Array[],
  ): void {
    const isLink = endpoint === "link-accepted" || endpoint === "link-dialled"
    const digests = isLink ? frames.filter(([tag]) => tag === linkTags.digests) : []
    const bytes = digests.reduce((sum, { length }) => sum + length, 0)
    const others = frames.length - digests.length
    this.#count(`frames of ${node} on ${connection} at rest`, most.atRest, others)
    const what = `bytes of digests of ${node} on ${connection} at rest`
    this.#count(what, most.digestBytesAtRest, bytes)
  }

  /** Nothing live goes to a full socket [N13]. */
  #checkNative(node: string, connection: ConnectionId, frames: readonly Uint8Array[]): void {
    if (!this.#congested.has(connection)) return
    const updates = frames.filter(([tag]) => tag === nativeTags.updates)
    const last = updates.at(-1)
    const message = last === undefined ? undefined : decodeNodeMessage(last)
    const isLive = message?.type === "updates" && !message.complete
    demand(!isLive, INVARIANT, () => `${node} sends live updates to a full socket`)
  }

  #checkLink(node: string, connection: ConnectionId, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      if (frame[0] !== linkTags.entries) {
        this.#count(`control frames of ${node} on link ${connection}`, most.control)
        continue
      }
      const sent = this.#congested.get(connection)
      if (sent === undefined) continue
      this.#congested.set(connection, sent + 1)
      demand(sent < READS_UNDER_WAY, INVARIANT, () => `${node} sends entries to a full socket`)
    }
  }

  #count(what: string, cap: number, by = 1): void {
    const { nowMs } = this.#world.scheduler
    if (nowMs - this.#windowFromMs > WINDOW_MS) {
      this.#window = new Map()
      this.#windowFromMs = nowMs
    }
    const count = (this.#window.get(what) ?? 0) + by
    this.#window.set(what, count)
    demand(count <= cap, INVARIANT, () => `more than ${cap} ${what} in ${WINDOW_MS} ms`)
  }

  onRest(): void {
    const { scheduler, nodes, writers } = this.#world
    this.#atRest = true
    this.#window = new Map()
    this.#windowFromMs = scheduler.nowMs
    scheduler.runUntil(scheduler.nowMs + WINDOW_MS)
    this.#atRest = false
    const pairs = nodes.length ** 2 + writers.length
    demand(scheduler.size <= TASKS_MAX * pairs + 100, INVARIANT, () => {
      return `${scheduler.size} tasks are planned at rest`
    })
  }
}

/** What a client hands in with a frame; nothing if it does not decode. */
function updatesIn(door: Endpoint["type"] | undefined, frame: Uint8Array): readonly Uint8Array[] {
  try {
    if (door === "native") {
      if (frame[0] !== nativeTags.update) return []
      const message = decodeClientMessage(frame)
      return message.type === "update" ? message.updates : []
    }
    if (door !== "y-websocket") return []
    const message = decodeYMessage(frame)
    return message.type === "update" || message.type === "step2" ? [message.update] : []
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return []
  }
}

/** Two updates of one name would only be counted as one that came twice. */
function nameOf(update: Uint8Array): string {
  return `${update.length} ${checksum(update)}`
}

const INVARIANT = "bounded-work"

export const boundedWork: Invariant = {
  name: INVARIANT,
  explain: "batches, full sockets, dials, messages and the log stay within stated limits",
  watch: (world) => new BoundedWork(world),
}
