/**
 * How far floors can move over snapshots that were read back: what a floor passes is looked through
 * entry by entry, each document's snapshot once. Rule [K12].
 */
import type { Database, Statement } from "better-sqlite3"
import { parseDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { FloorsToCheck, SoundFloors } from "@causeway/crdt/log"
import { SnapshotCheck } from "../snapshot-check.ts"
import type { FloorReach, ReadBack, ReadBudget } from "../snapshot-check.ts"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { entryId, NO_DOCUMENT_ROW, seqOf } from "./schema.ts"
import type { Snapshots } from "./snapshots.ts"

type EntryRow = readonly [id: number, document: string | null]

/** Entries that are in memory at a time, without their records. */
const rowsMax = 1024

export class FloorCheck {
  readonly #origins: HeldOrigins
  readonly #entries: Statement<[number, number], EntryRow>
  readonly snapshots: SnapshotCheck

  constructor(
    database: Database,
    parts: {
      readonly origins: HeldOrigins
      readonly documents: DocumentRows
      readonly snapshots: Snapshots
    },
  ) {
    const { documents, snapshots } = parts
    this.#origins = parts.origins
    this.#entries = database
      .prepare<[number, number], EntryRow>(
        `SELECT entries.id, documents.document FROM entries
         LEFT JOIN documents ON documents.id = entries.document
         WHERE entries.id > ? AND entries.id <= ? AND entries.document <> ${NO_DOCUMENT_ROW}
         ORDER BY entries.id LIMIT ${rowsMax}`,
      )
      .raw()
    this.snapshots = new SnapshotCheck((document) => readBack(documents, snapshots, document))
  }

  soundFloors({ floors, bytesMax }: FloorsToCheck): SoundFloors {
    const budget = { bytes: bytesMax }
    const unreadable = new Set<DocumentId>()
    const sound: SoundFloors["floors"][number][] = []
    for (const [origin, seq] of floors) {
      const held = this.#origins.get(origin)
      if (held === undefined) continue
      const reach = this.reach(held, Math.min(seq, held.head.seq), budget)
      if (reach.seq > held.floor.seq) sound.push([origin, reach.seq])
      if (reach.unreadable !== undefined) unreadable.add(reach.unreadable)
    }
    return { floors: sound, unreadable: [...unreadable] }
  }

  /** O(entries up to there + what is read of snapshots). */
  reach(held: HeldOrigin, seqMax: number, budget: ReadBudget): FloorReach {
    const { origin, row, floor } = held
    let after = entryId(row, floor.seq)
    for (;;) {
      const rows = this.#entries.all(after, entryId(row, seqMax))
      for (const [id, name] of rows) {
        const seq = seqOf(id)
        const document = name === null ? undefined : parseDocumentId(name)
        if (document === undefined) return { seq: seq - 1 }
        const holds = this.snapshots.holds(document, { origin, seq }, budget)
        if (holds === "no") return { seq: seq - 1, unreadable: document }
        if (holds === "unread") return { seq: seq - 1 }
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < rowsMax) return { seq: seqMax }
      // A page whose keys are out of order leads back.
      if (last[0] <= after) return { seq: seqOf(after) }
      after = last[0]
    }
  }
}

function readBack(documents: DocumentRows, snapshots: Snapshots, document: DocumentId): ReadBack {
  const row = documents.find(document)
  if (row === undefined) return undefined
  const folded = snapshots.folded(row, document)
  const state = snapshots.state(row, document)
  if (folded === undefined || folded === "damaged" || state === undefined) return undefined
  return { folded, bytes: state.length }
}
