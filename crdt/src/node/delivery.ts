/**
 * Shows what a commit made durable to the sessions of its documents: each frame is encoded once
 * and shared; a writer does not get its own updates back. Rules [D1] [N8] [Y2].
 */
import type { ConnectionId, DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Dot } from "../clock/index.ts"
import { EngineError } from "../engines/index.ts"
import type { UpdateFacts } from "../engines/index.ts"
import { encodeUpdatesFrames } from "../protocol/index.ts"
import { encodeYUpdate } from "../protocol/stock/index.ts"
import type { Batch } from "./commits.ts"
import { learn } from "./core.ts"
import type { Core } from "./core.ts"
import type { Documents } from "./documents.ts"
import type { OpenDocument } from "./open-document.ts"
import type { Session } from "./sessions.ts"
import type { Turn } from "./turn.ts"

export type DurableUpdate = {
  readonly document: DocumentId
  readonly body: Uint8Array
  /** Undefined for a peer's: looked at only if the document is open. */
  readonly facts: UpdateFacts | undefined
  /** Undefined for what a state transfer brought: it moves no resume point. */
  readonly dot: Dot | undefined
  /** The writer's connection; undefined for a peer's. */
  readonly connection: ConnectionId | undefined
}

/** A commit's updates, in its order; the cluster's records go to who keeps them. */
export function durableUpdates(core: Core, batch: Batch, firstSeq: number): DurableUpdate[] {
  const { origin } = core.config
  const updates: DurableUpdate[] = batch.own.map((write, index) => ({
    document: write.document,
    body: write.body,
    facts: write.facts,
    dot: { origin, seq: firstSeq + index },
    connection: write.connection,
  }))
  for (const run of batch.adopted) {
    for (const [index, fields] of run.fields.entries()) {
      if (fields.kind !== "update") {
        const record = run.records[index]
        if (record !== undefined) learn(core, run.origin, record)
        continue
      }
      const { document, body } = fields
      const dot = { origin: run.origin, seq: run.firstSeq + index }
      updates.push({ document, body, facts: undefined, dot, connection: undefined })
    }
  }
  for (const record of batch.cluster) learn(core, origin, record)
  return updates
}

/** Whose updates have to wait for predecessors that are missing, by document. */
export type PendingWriters = ReadonlyMap<OpenDocument, ReadonlySet<ConnectionId>>

export function deliver(
  turn: Turn,
  documents: Documents,
  updates: readonly DurableUpdate[],
): PendingWriters {
  const pending = new Map<OpenDocument, Set<ConnectionId>>()
  const groups = new Map<OpenDocument, DurableUpdate[]>()
  for (const update of updates) {
    const document = documents.find(update.document)
    if (document === undefined) continue
    const facts = update.facts ?? factsOf(turn, document, update.body)
    if (facts === undefined) continue
    // What is kept of a peer's must not keep all that came with it.
    const body = update.connection === undefined ? update.body.slice() : update.body
    const effect = documents.append(document, body, facts)
    if (effect === "pending" && update.connection !== undefined) {
      const writers = pending.get(document)
      if (writers === undefined) pending.set(document, new Set([update.connection]))
      else writers.add(update.connection)
    }
    const group = groups.get(document)
    if (group === undefined) groups.set(document, [update])
    else group.push(update)
  }
  let delivered = 0
  for (const [document, group] of groups) delivered += deliverTo(turn, document, group)
  if (delivered > 0) turn.emit({ type: "delivered", updates: delivered })
  return pending
}

/** A peer's update that no engine can read is kept in the log but shown to nobody. */
export function factsOf(
  turn: Turn,
  document: OpenDocument,
  body: Uint8Array,
): UpdateFacts | undefined {
  try {
    return document.engine.validate(body)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    turn.emit({ type: "updates-unreadable", document: document.id, count: 1 })
    return undefined
  }
}

/** Gives how many updates were sent, counted once for each session. */
function deliverTo(turn: Turn, document: OpenDocument, updates: readonly DurableUpdate[]): number {
  const authors = new Set<ConnectionId>()
  for (const update of updates) if (update.connection !== undefined) authors.add(update.connection)
  const native: ConnectionId[] = []
  const stock: ConnectionId[] = []
  const writers: Session[] = []
  for (const session of document.sessions) {
    if (session.state.state !== "live") continue
    if (authors.has(session.connection)) writers.push(session)
    else {
      session.sentMs = turn.nowMs
      ;(session.protocol === "native" ? native : stock).push(session.connection)
    }
  }
  if (stock.length > 0) turn.multicast(stock, stockFrames(updates))
  if (native.length > 0) turn.multicast(native, nativeFrames(document, updates))
  let delivered = updates.length * (native.length + stock.length)
  for (const writer of writers) delivered += deliverToWriter(turn, writer, updates)
  return delivered
}

function deliverToWriter(turn: Turn, writer: Session, updates: readonly DurableUpdate[]): number {
  const others = updates.filter((update) => update.connection !== writer.connection)
  if (others.length === 0) return 0
  writer.sentMs = turn.nowMs
  const frames =
    writer.protocol === "native" ? nativeFrames(writer.document, others) : stockFrames(others)
  turn.multicast([writer.connection], frames)
  return others.length
}

function stockFrames(updates: readonly DurableUpdate[]): Uint8Array[] {
  return updates.map((update) => encodeYUpdate(update.body))
}

function nativeFrames(document: OpenDocument, updates: readonly DurableUpdate[]): Uint8Array[] {
  const resume = new VersionVector()
  for (const { dot } of updates) if (dot !== undefined) resume.raise(dot.origin, dot.seq)
  const bodies = updates.map((update) => update.body)
  const { handle } = document
  return encodeUpdatesFrames({ type: "updates", handle, complete: false, resume, updates: bodies })
}
