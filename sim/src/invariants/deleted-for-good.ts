/**
 * Once a delete is durable on a node, whoever logged it, that node shows nothing of what it ended,
 * neither of its generation nor of one before it; and in the end all nodes agree on what is deleted
 * and on what living generations hold. Rules [R3] [R5] [R8].
 */
import { documentIdOf, generationOf, partsOfDocumentId } from "@causeway/crdt/base"
import type { ConnectionId, DocumentId } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import type { AppendBatch } from "@causeway/crdt/ports"
import { decodeClientMessage, decodeNodeMessage, nativeTags } from "@causeway/crdt/protocol"
import type { NodeMessage } from "@causeway/crdt/protocol"
import { bodiesOf, contentOf } from "../checkers/content.ts"
import { DeletedNames } from "../checkers/lives.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

type Life = {
  /** What its core was told to be durable. */
  readonly deleted: DeletedNames
  readonly batches: Map<number, AppendBatch>
  readonly channels: Map<ConnectionId, Map<number, DocumentId>>
  readonly handles: Map<number, DocumentId>
  readonly rooms: Map<ConnectionId, DocumentId>
}

class DeletedForGood implements Watcher {
  readonly #world: World
  readonly #lives = new Map<SimNode, Life>()

  constructor(world: World) {
    this.#world = world
  }

  onNodeStarted(node: SimNode): void {
    this.#lives.set(node, {
      deleted: new DeletedNames(node.disk.durable.clusterRecords()),
      batches: new Map(),
      channels: new Map(),
      handles: new Map(),
      rooms: new Map(),
    })
  }

  onNodeEnded(node: SimNode): void {
    this.#lives.delete(node)
  }

  onNodeInput(node: SimNode, input: Input): void {
    const life = this.#lives.get(node)
    if (life === undefined) return
    if (input.type === "committed") {
      const batch = life.batches.get(input.batch)
      life.batches.delete(input.batch)
      if (batch !== undefined && input.result.ok) learn(life.deleted, batch)
    } else if (input.type === "opened" && input.endpoint.type === "y-websocket") {
      const document = documentIdOf("yjs", input.endpoint.room ?? "")
      if (document !== undefined) life.rooms.set(input.connection, document)
    } else if (input.type === "closed") {
      life.rooms.delete(input.connection)
      life.channels.delete(input.connection)
    } else if (input.type === "frame" && input.frame[0] === nativeTags.open) onOpen(life, input)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    const life = this.#lives.get(node)
    if (life === undefined) return
    if (effect.type === "append") life.batches.set(effect.batch, effect.entries)
    if (effect.type !== "send") return
    for (const connection of effect.to) {
      const room = life.rooms.get(connection)
      demand(room === undefined || life.deleted.lastOf(room) === 0, INVARIANT, () => {
        return `${node.node} serves the room ${room}, which was deleted`
      })
      if (life.channels.has(connection)) this.#onNative(node, life, connection, effect.frames)
    }
  }

  #onNative(
    node: SimNode,
    life: Life,
    connection: ConnectionId,
    frames: readonly Uint8Array[],
  ): void {
    for (const frame of frames) {
      const [tag = 0] = frame
      if (!tags.has(tag)) continue
      // The most of them are of documents that live.
      if (tag === nativeTags.updates && life.deleted.size === 0) continue
      const message = decodeNodeMessage(frame)
      const document = documentOf(life, life.channels.get(connection), message)
      demand(document === undefined || !life.deleted.has(document), INVARIANT, () => {
        return `${node.node} says ${message.type} of ${document}, which is deleted there`
      })
    }
  }

  onRest(): void {
    const [first, ...others] = this.#world.nodes
    if (first === undefined) return
    const expected = new DeletedNames(first.disk.durable.clusterRecords())
    for (const { node, core, disk } of this.#world.nodes) {
      const held = new DeletedNames(disk.durable.clusterRecords())
      demand(core?.status().deletions === held.size, INVARIANT, () => {
        return `${node} knows of ${core?.status().deletions} names, its log of ${held.size}`
      })
      demand(String(held.entries()) === String(expected.entries()), INVARIANT, () => {
        return `${node} and ${first.node} do not agree on what is deleted`
      })
    }
    for (const document of first.disk.durable.documentIds()) {
      if (expected.has(document) || expected.lastOf(document) === 0) continue
      const engine = this.#world.engines[partsOfDocumentId(document).engine]
      const shown = ({ disk }: SimNode) =>
        contentOf(engine, engine.merge(bodiesOf(disk.durable, document)))
      for (const other of others) {
        demand(shown(other) === shown(first), INVARIANT, () => {
          return `${other.node} and ${first.node} show different things in ${document}`
        })
      }
    }
  }
}

/** Of these documents something is said or shown. */
const tags: ReadonlySet<number> = new Set([
  nativeTags.generation,
  nativeTags.opened,
  nativeTags.updates,
])

function documentOf(
  { handles }: Life,
  channels: Map<number, DocumentId> | undefined,
  message: NodeMessage,
): DocumentId | undefined {
  if (message.type === "updates") return handles.get(message.handle)
  if (message.type !== "generation" && message.type !== "opened") return undefined
  const known = channels?.get(message.channel)
  if (known === undefined) return undefined
  const isTold = message.type === "generation"
  const document = isTold ? generationOf(known, message.generation) : known
  channels?.set(message.channel, document)
  if (message.type === "opened") handles.set(message.handle, document)
  return document
}

function learn(deleted: DeletedNames, { own, adopted, below = [] }: AppendBatch): void {
  for (const record of own) deleted.learn(record)
  for (const { records } of adopted) for (const record of records) deleted.learn(record)
  for (const { record } of below) deleted.learn(record)
}

function onOpen({ channels }: Life, input: Extract<Input, { type: "frame" }>): void {
  let message
  try {
    message = decodeClientMessage(input.frame)
  } catch {
    return
  }
  if (message.type !== "open") return
  const open = channels.get(input.connection) ?? new Map<number, DocumentId>()
  channels.set(input.connection, open)
  open.set(message.channel, generationOf(message.document, Math.max(1, message.generation)))
}

const INVARIANT = "deleted-for-good"

export const deletedForGood: Invariant = {
  name: INVARIANT,
  explain: "what is deleted is shown by no node that knows of it, and in the end all know",
  watch: (world) => new DeletedForGood(world),
}
