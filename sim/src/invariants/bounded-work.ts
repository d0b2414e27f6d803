/**
 * Boundedness all through the run: no batch, frame or full socket takes more than its named limit,
 * nobody dials or talks in a tight loop, and the log grows with what was written, not with how long
 * or how often things broke. At rest nothing is written or dialled any more, and what is said are
 * heartbeats. Counted per stretch of `WINDOW_MS`.
 */
import { limits } from "@causeway/crdt/base"
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Effect, Endpoint, Input } from "@causeway/crdt/node"
import { decodeNodeMessage, linkTags, nativeTags } from "@causeway/crdt/protocol"
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
} as const

/** Frames of entries that were being read when a link's socket was full. */
const READS_UNDER_WAY = 1
/** Planned tasks at rest, per pair of hosts that may be connected. */
const TASKS_MAX = 10

/** The shortest update that a stranger can bring. */
const STRANGERS_BYTES = 16

type Send = Extract<Effect, { type: "send" }>

class BoundedWork implements Watcher {
  readonly #world: World
  readonly #endpoints = new Map<ConnectionId, Endpoint["type"]>()
  /** Frames of entries since the socket was full. */
  readonly #congested = new Map<ConnectionId, number>()
  #window = new Map<string, number>()
  #windowFromMs: Millis = 0
  #atRest = false
  #opens = 0
  #diskChanges = 0
  #strangersBytes = 0
  readonly #known: ReadonlySet<HostId>

  constructor(world: World) {
    this.#world = world
    this.#known = new Set([...world.nodes, ...world.writers].map(({ host }) => host))
  }

  onArrived(from: HostId, _to: HostId, _connection: ConnectionId, frame: Uint8Array): void {
    if (!this.#known.has(from)) this.#strangersBytes += frame.length
  }

  onDiskChanged(_host: number, _change: DiskChange): void {
    this.#diskChanges += 1
  }

  onNodeInput(_node: SimNode, input: Input): void {
    switch (input.type) {
      case "opened":
        this.#endpoints.set(input.connection, input.endpoint.type)
        if (input.endpoint.type === "y-websocket") this.#opens += 1
        return
      case "frame":
        if (input.frame[0] !== nativeTags.open) return
        if (this.#endpoints.get(input.connection) === "native") this.#opens += 1
        return
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
      default:
    }
  }

  onNodeEffect({ node }: SimNode, effect: Effect): void {
    switch (effect.type) {
      case "dial":
        return this.#count(`dials of ${node} to ${effect.address}`, this.#atRest ? 0 : most.dials)
      case "append":
        return this.#checkBatch(node, effect)
      case "send":
        return this.#checkSend(node, effect)
      default:
    }
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
    if (this.#atRest) this.#count(`appends of ${node} at rest`, 0)
  }

  #checkSend(node: string, { to, frames }: Send): void {
    for (const connection of to) {
      const endpoint = this.#endpoints.get(connection)
      if (this.#atRest) {
        this.#count(`frames of ${node} on ${connection} at rest`, most.atRest, frames.length)
      }
      if (endpoint === undefined || endpoint === "y-websocket") continue
      if (endpoint === "native") this.#checkNative(node, connection, frames)
      else this.#checkLink(node, connection, frames)
    }
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
    const { scheduler, nodes, writers, oracle } = this.#world
    this.#atRest = true
    this.#window = new Map()
    this.#windowFromMs = scheduler.nowMs
    scheduler.runUntil(scheduler.nowMs + WINDOW_MS)
    this.#atRest = false
    const pairs = nodes.length ** 2 + writers.length
    demand(scheduler.size <= TASKS_MAX * pairs + 100, INVARIANT, () => {
      return `${scheduler.size} tasks are planned at rest`
    })
    // A write is logged once, and perhaps again by the next node its writer turns to; a client that
    // opens a document may bring what the node lacks. What a disk lost or a fresh epoch renamed is
    // logged again, and a stranger who says again what others wrote is taken at his word.
    const writes = oracle.attempts.all.length
    const said = 2 * writes + 2 * this.#opens + this.#strangersBytes / STRANGERS_BYTES
    const cap = said * (1 + this.#diskChanges)
    demand(oracle.ledger.size <= cap, INVARIANT, () => {
      return `${writes} writes and ${this.#opens} openings made ${oracle.ledger.size} entries`
    })
  }
}

const INVARIANT = "bounded-work"

export const boundedWork: Invariant = {
  name: INVARIANT,
  explain: "batches, full sockets, dials, messages and the log stay within stated limits",
  watch: (world) => new BoundedWork(world),
}
