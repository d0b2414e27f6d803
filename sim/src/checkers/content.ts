/** What a document shows, as a string that is equal for equal contents. */
import { bytesToHex } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { EngineError } from "@causeway/crdt/engines"
import type { Engine } from "@causeway/crdt/engines"
import { bodyOf } from "@causeway/crdt/log"
import type { MemoryLog } from "@causeway/crdt/log"

/**
 * The digest; while an update waits for a predecessor (its writer may have died before anybody
 * had it), what is covered and what is shown.
 */
export function contentOf(engine: Engine, state: Uint8Array): string {
  try {
    return bytesToHex(engine.digest(state))
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "pending") throw error
    return shownOf(engine, state)
  }
}

/** What is covered and shown, whatever waits. */
export function shownOf(engine: Engine, state: Uint8Array): string {
  return `${bytesToHex(engine.summaryOf(state))} ${JSON.stringify(engine.toJson(state))}`
}

/** All that a log holds of a document: its snapshot, and its entries in the order of the log. */
export function bodiesOf(log: MemoryLog, document: DocumentId): Uint8Array[] {
  const { snapshot, entries } = log.readDocument(document)
  const bodies = entries.map(({ record }) => bodyOf(record))
  return snapshot === undefined ? bodies : [snapshot.state, ...bodies]
}
