/**
 * What a node serves to a client that comes with nothing is exactly what its log holds: not an
 * older state from a cache, not one with a gap. Asked where the node says that it serves all it
 * holds. And what it says it has, in summaries, takes effect there: an update that waits for its
 * predecessors is logged, but never counts as shown.
 */
import * as Y from "yjs"
import {
  bytesToHex,
  documentIdOf,
  generationOf,
  partsOfDocumentId,
  Reader,
} from "@causeway/crdt/base"
import type { ConnectionId, DocumentId } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import { decodeClientMessage, decodeNodeMessage, nativeTags } from "@causeway/crdt/protocol"
import type { Updates } from "@causeway/crdt/protocol"
import { decodeYMessage } from "@causeway/crdt/protocol/stock"
import { bodiesOf, contentOf } from "../checkers/content.ts"
import type { Ops } from "../checkers/coverage.ts"
import type { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** How many of the joins are looked at. */
const LOOKS = 0.5
/** Documents with more are too dear to merge again for each join. */
const ENTRIES_MAX = 1000
const BYTES_MAX = 128 * 1024

type Join = {
  document: DocumentId
  readonly fromNothing: boolean
  handle: number | undefined
  readonly updates: Uint8Array[]
}

type Connection = {
  readonly host: HostId
  /** Of a stock client. */
  readonly document: DocumentId | undefined
  /** By channel, until the catch-up is complete. */
  readonly joins: Map<number, Join>
}

class ServedIsLogged implements Watcher {
  readonly #world: World
  readonly #random: SimRandom
  readonly #connections = new Map<ConnectionId, Connection>()

  constructor(world: World, random: SimRandom) {
    this.#world = world
    this.#random = random
  }

  onNodeEnded({ host }: SimNode): void {
    for (const [id, connection] of this.#connections) {
      if (connection.host === host) this.#connections.delete(id)
    }
  }

  onNodeInput({ host }: SimNode, input: Input): void {
    if (input.type === "closed") this.#connections.delete(input.connection)
    if (input.type === "opened") {
      const { connection, endpoint } = input
      const isStock = endpoint.type === "y-websocket"
      if (endpoint.type !== "native" && !isStock) return
      const document = isStock ? documentIdOf("yjs", endpoint.room ?? "") : undefined
      if (isStock && document === undefined) return
      this.#connections.set(connection, { host, document, joins: new Map() })
    }
    if (input.type === "frame" && input.frame[0] === nativeTags.open) this.#onOpen(input)
  }

  #onOpen({ connection, frame }: Extract<Input, { type: "frame" }>): void {
    const found = this.#connections.get(connection)
    if (found === undefined || found.document !== undefined) return
    let message
    try {
      message = decodeClientMessage(frame)
    } catch {
      return
    }
    if (message.type !== "open") return
    const { channel, resume, generation } = message
    const document = generationOf(message.document, Math.max(1, generation))
    const fromNothing = resume.type === "nothing" && this.#random.chance(LOOKS)
    found.joins.set(channel, { document, fromNothing, handle: undefined, updates: [] })
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type !== "send") return
    for (const id of effect.to) {
      const connection = this.#connections.get(id)
      if (connection === undefined) continue
      if (connection.document !== undefined) this.#onStock(node, connection.document, effect.frames)
      else if (connection.joins.size > 0) this.#onNative(node, connection, effect.frames)
    }
  }

  #onStock(node: SimNode, document: DocumentId, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      // Sync, step 1: the only frames of a node that say what it has.
      if (frame[0] !== 0 || frame[1] !== 0) continue
      const message = decodeYMessage(frame)
      if (message.type === "step1") this.#mustTakeEffect(node, document, message.summary)
    }
  }

  #onNative(node: SimNode, connection: Connection, frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const [tag] = frame
      if (tag !== nativeTags.opened && tag !== nativeTags.updates && tag !== nativeTags.generation)
        continue
      const message = decodeNodeMessage(frame)
      if (message.type === "generation") {
        const join = connection.joins.get(message.channel)
        if (join !== undefined) join.document = generationOf(join.document, message.generation)
      }
      if (message.type === "opened") {
        const join = connection.joins.get(message.channel)
        if (join === undefined) continue
        join.handle = message.handle
        this.#mustTakeEffect(node, join.document, message.summary)
      } else if (message.type === "updates") this.#onUpdates(node, connection, message)
    }
  }

  #onUpdates(node: SimNode, { joins }: Connection, message: Updates): void {
    for (const [channel, join] of joins) {
      if (join.handle !== message.handle) continue
      join.updates.push(...message.updates)
      if (!message.complete) continue
      joins.delete(channel)
      if (join.fromNothing) this.#mustBeAll(node, join, message)
    }
  }

  #mustBeAll({ node, disk }: SimNode, { document, updates }: Join, { resume }: Updates): void {
    const { entries } = disk.durable.readDocument(document)
    const bytes = entries.reduce((sum, { record }) => sum + record.length, 0)
    if (entries.length > ENTRIES_MAX || bytes > BYTES_MAX) return
    // The disk may be ahead of what the node knows to be durable.
    if (entries.some(({ origin, seq }) => resume.get(origin) < seq)) return
    const engine = this.#world.engines[partsOfDocumentId(document).engine]
    const logged = contentOf(engine, engine.merge(bodiesOf(disk.durable, document)))
    demand(contentOf(engine, engine.merge(updates)) === logged, INVARIANT, () => {
      return `${document}: ${node} served something else than its ${entries.length} entries`
    })
  }

  #mustTakeEffect({ host, node }: SimNode, document: DocumentId, summary: Uint8Array): void {
    if (summary.length === 0) return
    const isYjs = partsOfDocumentId(document).engine === "yjs"
    const ops: Ops = { added: isYjs ? yjsSpans(summary) : automergeSpans(summary), deleted: [] }
    const missing = this.#world.oracle.ledger.holdings(host).lacks(document, ops)
    demand(missing === undefined, INVARIANT, () => {
      return `${document}: ${node} says it has ${missing}, which does not take effect in its log`
    })
  }
}

/** All operations of each writer, from its first: nothing may be missing below what is known. */
function yjsSpans(summary: Uint8Array): Ops["added"] {
  return [...Y.decodeStateVector(summary)].map(([client, clock]) => {
    return { writer: String(client), from: 0, to: clock }
  })
}

function automergeSpans(summary: Uint8Array): Ops["added"] {
  const reader = new Reader(summary)
  const count = reader.varUint()
  return Array.from({ length: count }, () => {
    return { writer: bytesToHex(reader.raw(32)), from: 0, to: 1 }
  })
}

const INVARIANT = "served-is-logged"

export const servedIsLogged: Invariant = {
  name: INVARIANT,
  explain: "a client that comes with nothing is served exactly what the node's log holds",
  watch: (world, random) => new ServedIsLogged(world, random),
}
