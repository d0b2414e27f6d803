/**
 * Appends: one batch, one transaction, one fsync. Heads and caches in memory move only after
 * the commit; after a failure they are read again from what the disk has.
 */
import type { Database, Statement } from "better-sqlite3"
import { Reader } from "@causeway/crdt/base"
import type { ClientId, OriginId } from "@causeway/crdt/base"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { DocumentSnapshot } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { RefusedError, UnreadableError } from "../errors.ts"
import { checkFollows } from "../gap.ts"
import { touchedOrigins } from "../planned-heads.ts"
import type { DocumentRows } from "./documents.ts"
import type { FloorCheck } from "./floor-check.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import type { Appended } from "../thread/messages.ts"
import { entryId, NO_DOCUMENT_ROW } from "./schema.ts"
import { seal } from "../seal.ts"
import type { Side } from "./side.ts"
import type { Snapshots } from "./snapshots.ts"
import { Truncation } from "./truncation.ts"

export class Appender {
  readonly #own: OriginId
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #snapshots: Snapshots
  readonly #side: Side
  readonly #floorCheck: FloorCheck
  readonly #truncation: Truncation
  readonly #begin: Statement<[]>
  readonly #commit: Statement<[]>
  readonly #rollback: Statement<[]>
  readonly #prove: Statement<[]>
  readonly #insert: Statement<[number, number, Buffer]>
  readonly #raiseClient: Statement<[Buffer, number]>
  readonly #database: Database
  /** Batch-local: the highest update number seen of each client. */
  readonly #clients = new Map<ClientId, number>()
  /** Batch-local: origins as it leaves them. */
  readonly #moved = new Map<OriginId, HeldOrigin>()
  #stale = false

  constructor(
    database: Database,
    own: OriginId,
    parts: {
      readonly origins: HeldOrigins
      readonly documents: DocumentRows
      readonly snapshots: Snapshots
      readonly side: Side
      readonly floorCheck: FloorCheck
    },
  ) {
    this.#database = database
    this.#own = own
    this.#origins = parts.origins
    this.#documents = parts.documents
    this.#snapshots = parts.snapshots
    this.#side = parts.side
    this.#floorCheck = parts.floorCheck
    this.#truncation = new Truncation(database)
    this.#begin = database.prepare("BEGIN IMMEDIATE")
    this.#commit = database.prepare("COMMIT")
    this.#rollback = database.prepare("ROLLBACK")
    this.#prove = database.prepare(
      "INSERT INTO meta VALUES ('proved', 1) ON CONFLICT DO UPDATE SET value = value + 1",
    )
    this.#insert = database.prepare("INSERT INTO entries (id, document, entry) VALUES (?, ?, ?)")
    this.#raiseClient = database.prepare(
      "INSERT INTO clients (client, seq) VALUES (?, ?) " +
        "ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE excluded.seq > clients.seq",
    )
  }

  /** Durable when it returns; when it throws, nothing of the batch is there. O(batch). */
  append(batch: AppendBatch): Appended {
    if (this.#stale) this.#refresh()
    this.#begin.run()
    try {
      const { head } = this.#held(this.#own)
      this.#write(batch)
      const heads = touchedOrigins(this.#own, batch).map((origin) => this.#held(origin).head)
      this.#commit.run()
      for (const held of this.#moved.values()) this.#origins.set(held)
      return { firstSeq: head.seq + 1, heads }
    } catch (error) {
      this.#abandon()
      throw error
    } finally {
      this.#clients.clear()
      this.#moved.clear()
    }
  }

  #write(batch: AppendBatch): void {
    for (const [origin, head] of batch.raise ?? []) {
      this.#move(this.#truncation.raise(this.#held(origin), head))
    }
    this.#checkFloors(batch)
    const { own, adopted } = batch
    if (own.length > 0) this.#move(this.#writeRun(this.#held(this.#own), own))
    for (const run of adopted) {
      const held = this.#held(run.origin)
      checkFollows(held, run)
      this.#move(this.#writeRun(held, run.records))
    }
    for (const [client, seq] of this.#clients) {
      this.#raiseClient.run(Buffer.from(client, "hex"), seq)
    }
    for (const snapshot of batch.snapshots ?? []) this.#putSnapshot(snapshot)
    for (const [origin, seq] of batch.floors ?? []) {
      this.#move(this.#truncate(this.#held(origin), seq))
    }
    this.#side.write(batch, (origin) => this.#held(origin))
    if (this.#moved.size === 0) this.#prove.run()
  }

  /** What a floor passes was there before the batch. */
  #checkFloors({ floors = [] }: AppendBatch): void {
    for (const [origin, seq] of floors) {
      const held = this.#moved.get(origin) ?? this.#origins.get(origin)
      if (held !== undefined && seq <= held.head.seq) continue
      throw new RefusedError(`a floor above the head of ${origin}`)
    }
  }

  /** What was read back for `sound-floors` is not read again. */
  #truncate(held: HeldOrigin, seq: number): HeldOrigin {
    const { seq: reached } = this.#floorCheck.reach(held, seq, { bytes: Infinity })
    if (reached >= seq) return this.#truncation.truncate(held, seq)
    // What is not folded at all is the caller's fault, not the disk's.
    this.#truncation.checkFolded(held, seq)
    throw new UnreadableError(held.origin)
  }

  #putSnapshot(snapshot: DocumentSnapshot): void {
    const row = this.#documents.findOrInsert(snapshot.document)
    this.#floorCheck.snapshots.forget(snapshot.document)
    this.#snapshots.put(row, snapshot, (origin) => this.#held(origin).row)
    const origins = snapshot.folded.entries().map(([origin]) => this.#held(origin))
    this.#truncation.dropFolded(row, origins)
  }

  /** As this batch leaves it so far; a row is made for one that is new. */
  #held(origin: OriginId): HeldOrigin {
    const held = this.#moved.get(origin) ?? this.#origins.get(origin)
    return held ?? this.#move(this.#origins.insert(origin))
  }

  #move(held: HeldOrigin): HeldOrigin {
    this.#moved.set(held.origin, held)
    return held
  }

  #writeRun(held: HeldOrigin, records: readonly Uint8Array[]): HeldOrigin {
    let { seq, hash } = held.head
    for (const record of records) {
      seq += 1
      const sealed = seal(hash, held, seq, record)
      hash = sealed.hash
      const { document, author } = decodeRecordHead(new Reader(record))
      const documentRow =
        document === undefined ? NO_DOCUMENT_ROW : this.#documents.findOrInsert(document)
      this.#insert.run(entryId(held.row, seq), documentRow, sealed.entry)
      if (author !== undefined && author.seq > (this.#clients.get(author.client) ?? 0)) {
        this.#clients.set(author.client, author.seq)
      }
    }
    return { ...held, head: { seq, hash } }
  }

  #abandon(): void {
    this.#stale = true
    this.#documents.forget()
    this.#floorCheck.snapshots.forgetAll()
    // SQLite has rolled back by itself after some errors, and not after others.
    if (this.#database.inTransaction) this.#rollback.run()
  }

  #refresh(): void {
    this.#origins.reload()
    this.#stale = false
  }
}
