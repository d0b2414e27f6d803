/**
 * Snapshots in the tables: what each holds stands twice, sealed beside its state, and as rows that
 * truncation and searches go by. All writes happen inside the caller's transaction. Rules [K1]
 * [K5].
 */
import type { Database, Statement } from "better-sqlite3"
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import type { DocumentSnapshot } from "@causeway/crdt/log"
import { RefusedError } from "../errors.ts"
import { sealFolded, sealState, unsealFolded, unsealState } from "../snapshot-seal.ts"

export class Snapshots {
  readonly #folded: Statement<[number], { folded: Buffer }>
  readonly #state: Statement<[number], { state: Buffer }>
  readonly #size: Statement<[number], { size: number }>
  readonly #put: Statement<[number, Buffer, Buffer]>
  readonly #setFolded: Statement<[Buffer, number]>
  readonly #remove: Statement<[number]>
  readonly #putSeq: Statement<[number, number, number]>
  readonly #removeSeqs: Statement<[number]>
  readonly #hasSeq: Statement<[number]>
  readonly #bytes: Statement<[], { value: string }>
  readonly #addBytes: Statement<[number]>

  constructor(database: Database) {
    this.#folded = database.prepare("SELECT folded FROM snapshots WHERE document = ?")
    this.#state = database.prepare("SELECT state FROM snapshots WHERE document = ?")
    this.#size = database.prepare("SELECT length(state) AS size FROM snapshots WHERE document = ?")
    this.#put = database.prepare(
      "INSERT OR REPLACE INTO snapshots (document, folded, state) VALUES (?, ?, ?)",
    )
    this.#setFolded = database.prepare("UPDATE snapshots SET folded = ? WHERE document = ?")
    this.#remove = database.prepare("DELETE FROM snapshots WHERE document = ?")
    this.#putSeq = database.prepare("INSERT INTO folded (document, origin, seq) VALUES (?, ?, ?)")
    this.#hasSeq = database.prepare("SELECT 1 FROM folded WHERE document = ? AND seq > 0 LIMIT 1")
    this.#removeSeqs = database.prepare("DELETE FROM folded WHERE document = ?")
    this.#bytes = database.prepare("SELECT value FROM meta WHERE key = 'snapshot bytes'")
    this.#addBytes = database.prepare(
      "INSERT INTO meta VALUES ('snapshot bytes', ?) " +
        "ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value",
    )
  }

  /** What the document's snapshot holds; undefined without one. */
  folded(row: number, document: DocumentId): VersionVector | "damaged" | undefined {
    const bytes = this.#folded.get(row)?.folded
    return bytes === undefined ? undefined : (unsealFolded(document, bytes) ?? "damaged")
  }

  /** Whether there is none, and something was folded. */
  isLost(row: number): boolean {
    return this.#folded.get(row) === undefined && this.#hasSeq.get(row) !== undefined
  }

  /** The state of a snapshot that is there; undefined if it is damaged. */
  state(row: number, document: DocumentId): Buffer | undefined {
    const bytes = this.#state.get(row)?.state
    return bytes === undefined ? undefined : unsealState(document, bytes)
  }

  /**
   * Takes the place of the one before. `rowOf` gives the row of an origin.
   * @throws RefusedError if it holds less than that one.
   */
  put(
    row: number,
    { document, state, folded }: DocumentSnapshot,
    rowOf: (origin: OriginId) => number,
  ): void {
    const before = this.folded(row, document)
    // One that is damaged is replaced, whatever it held: who folds has read all of it.
    if (before !== undefined && before !== "damaged" && !folded.coversAll(before)) {
      throw new RefusedError(`a snapshot of ${document} holds less than the one before`)
    }
    const sealedState = sealState(document, state)
    const grown = sealedState.length - (this.#size.get(row)?.size ?? 0)
    this.#put.run(row, sealFolded(document, folded), sealedState)
    this.#addBytes.run(grown)
    this.putSeqs(row, folded, rowOf)
  }

  /** Changes what a snapshot counts as holding, and nothing else. */
  putFolded(
    row: number,
    document: DocumentId,
    folded: VersionVector,
    rowOf: (origin: OriginId) => number,
  ): void {
    this.#setFolded.run(sealFolded(document, folded), row)
    this.putSeqs(row, folded, rowOf)
  }

  /** The rows that say the same as the sealed vector. */
  putSeqs(row: number, folded: VersionVector, rowOf: (origin: OriginId) => number): void {
    this.#removeSeqs.run(row)
    for (const [origin, seq] of folded.entries()) this.#putSeq.run(row, rowOf(origin), seq)
  }

  remove(row: number): void {
    this.#addBytes.run(-(this.#size.get(row)?.size ?? 0))
    this.#remove.run(row)
    this.#removeSeqs.run(row)
  }

  /** Bytes of all states. */
  bytes(): number {
    return Number(this.#bytes.get()?.value ?? 0)
  }
}
