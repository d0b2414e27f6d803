/**
 * The part of a renewal that is about snapshots, as MemoryLog's `renew` does it: those that can't
 * be read go, those that hold what was lost or cut away are logged again as updates, and behind the
 * cut of a fork none counts as holding what others have there. Inside the caller's transaction.
 * Rule [K5].
 */
import { parseDocumentId, parseOriginId } from "@causeway/crdt/base"
import type { Database } from "better-sqlite3"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { compareDocuments, foldedUpTo, stateRecord } from "@causeway/crdt/log"
import type { Renewing } from "@causeway/crdt/log"
import { PagesError } from "../errors.ts"
import { unsealFolded, unsealState } from "../snapshot-seal.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import type { Snapshots } from "./snapshots.ts"

type SnapshotRow = {
  readonly id: number
  readonly document: string | null
  readonly folded: Buffer
  readonly state: Buffer
}

type Missing = { readonly document: DocumentId | undefined; readonly folded: VersionVector }

type ListedRow = {
  readonly id: number
  readonly document: string | null
  readonly origin: string
  readonly seq: number
}

export class SnapshotRenewal {
  readonly #database: Database
  readonly #origins: HeldOrigins
  readonly #snapshots: Snapshots
  readonly #renewing: Renewing
  /** From where on an origin's effects are logged again with the states that hold them. */
  readonly #restated = new Map<HeldOrigin, number>()
  /** Origins of which a lost snapshot held entries that are nowhere else. */
  readonly gone = new Set<OriginId>()

  constructor(
    database: Database,
    parts: { readonly origins: HeldOrigins; readonly snapshots: Snapshots },
    renewing: Renewing,
  ) {
    this.#database = database
    this.#origins = parts.origins
    this.#snapshots = parts.snapshots
    this.#renewing = renewing
  }

  /** Reads every snapshot. O(snapshots). */
  scan(): void {
    const next = this.#database.prepare<[number], SnapshotRow>(
      `SELECT snapshots.document AS id, documents.document, folded, state FROM snapshots
       LEFT JOIN documents ON documents.id = snapshots.document
       WHERE snapshots.document > ? ORDER BY snapshots.document LIMIT 1`,
    )
    const missing = this.#missing()
    this.#database.exec("DELETE FROM folded")
    for (const { document, folded } of missing) this.#lose(document, folded)
    let after = 0
    for (;;) {
      const row = next.get(after)
      if (row === undefined) return
      // It would lead round and round.
      if (row.id <= after) throw new PagesError("keys of snapshots are out of order")
      after = row.id
      this.#check(row)
    }
  }

  #check({ id, document: name, folded: sealedFolded, state }: SnapshotRow): void {
    const document = name === null ? undefined : parseDocumentId(name)
    const folded = document === undefined ? undefined : unsealFolded(document, sealedFolded)
    if (document !== undefined && folded !== undefined && unsealState(document, state)) {
      this.#snapshots.putSeqs(id, folded, (origin) => this.#rowOf(origin))
      return
    }
    this.#snapshots.remove(id)
    this.#lose(document, folded)
  }

  /** Snapshots that are not there, of which it is listed what they held. */
  #missing(): readonly Missing[] {
    const select = this.#database.prepare<[], ListedRow>(
      `SELECT folded.document AS id, documents.document, origins.origin, seq FROM folded
       LEFT JOIN documents ON documents.id = folded.document
       JOIN origins ON origins.id = folded.origin
       WHERE folded.document NOT IN (SELECT document FROM snapshots) AND seq > 0`,
    )
    const missing = new Map<number, Missing>()
    for (const { id, document: name, origin: of, seq } of select.all()) {
      const document = name === null ? undefined : parseDocumentId(name)
      const found = missing.get(id) ?? { document, folded: new VersionVector() }
      missing.set(id, found)
      const origin = parseOriginId(of)
      if (origin !== undefined) found.folded.raise(origin, seq)
    }
    return [...missing.values()]
  }

  /** Without `folded` it may have held anything. */
  #lose(document: DocumentId | undefined, folded: VersionVector | undefined): void {
    const gone = this.#origins.all().filter(({ origin, floor }) => {
      return floor.seq > 0 && (folded === undefined || folded.get(origin) > 0)
    })
    for (const held of gone) {
      this.gone.add(held.origin)
      // What other snapshots hold of it nobody would be told of any more.
      this.restateFrom(held, 1)
    }
    if (gone.length > 0) this.#renewing.loseDocument(document)
  }

  #rowOf(origin: OriginId): number {
    const held = this.#origins.get(origin)
    if (held !== undefined) return held.row
    const made = this.#origins.insert(origin)
    this.#origins.set(made)
    return made.row
  }

  restateFrom(held: HeldOrigin, seq: number): void {
    this.#restated.set(held, Math.min(seq, this.#restated.get(held) ?? seq))
  }

  /** Gives the states to be logged again to `log`, in order of documents. */
  restate(log: (document: DocumentId, record: Uint8Array) => void): void {
    const holding = this.#holding([...this.#restated].map(([held, seq]) => [held.row, seq]))
    for (const [id, document] of holding) {
      const state = this.#snapshots.state(id, document)
      const record = state === undefined ? undefined : stateRecord(document, state)
      if (record === undefined) this.#renewing.loseDocument(document)
      else log(document, record)
    }
  }

  /** Documents whose snapshots hold something of an origin from a seq on, in order. */
  #holding(from: readonly (readonly [row: number, seq: number])[]): [number, DocumentId][] {
    const select = this.#database.prepare<[number, number], { id: number; document: string }>(
      `SELECT id, documents.document FROM folded JOIN documents ON id = folded.document
       WHERE origin = ? AND seq >= ?`,
    )
    const found = new Map<number, DocumentId>()
    for (const [row, seq] of from) {
      for (const { id, document: name } of select.all(row, seq)) {
        const document = parseDocumentId(name)
        if (document !== undefined) found.set(id, document)
      }
    }
    return [...found].sort(([, left], [, right]) => compareDocuments(left, right))
  }

  /** What is behind `keepSeq` under that name from now on is something else. */
  lowerFolded(held: HeldOrigin, keepSeq: number): void {
    for (const [id, document] of this.#holding([[held.row, keepSeq + 1]])) {
      const folded = this.#snapshots.folded(id, document)
      if (folded === undefined || folded === "damaged") continue
      const lowered = foldedUpTo(folded, held.origin, keepSeq)
      this.#snapshots.putFolded(id, document, lowered, (origin) => this.#rowOf(origin))
    }
  }

  /** Whether a snapshot says that it holds anything of it. */
  isHeld({ row }: HeldOrigin): boolean {
    const select = this.#database.prepare<[number]>("SELECT 1 FROM folded WHERE origin = ? LIMIT 1")
    return select.get(row) !== undefined
  }
}
