/**
 * Appends: one batch, one transaction, one fsync. Heads and caches in memory move only after
 * the commit; after a failure they are read again from what the disk has.
 */
import type { Database, Statement } from "better-sqlite3"
import { assert, Reader } from "@causeway/crdt/base"
import type { ClientId, OriginId } from "@causeway/crdt/base"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { DocumentRows } from "./documents.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import type { Appended } from "../thread/messages.ts"
import { entryId, NO_DOCUMENT_ROW } from "./schema.ts"
import { seal } from "../seal.ts"

/** A run does not follow what is held, because the append that led up to it failed. */
class GapError extends Error {
  override readonly name = "GapError"
}

export class Appender {
  readonly #own: OriginId
  readonly #origins: HeldOrigins
  readonly #documents: DocumentRows
  readonly #begin: Statement<[]>
  readonly #commit: Statement<[]>
  readonly #rollback: Statement<[]>
  readonly #prove: Statement<[]>
  readonly #insert: Statement<[number, number, Buffer]>
  readonly #raiseClient: Statement<[Buffer, number]>
  readonly #database: Database
  /** Batch-local: the highest update number seen of each client. */
  readonly #clients = new Map<ClientId, number>()
  #stale = false

  constructor(
    database: Database,
    own: OriginId,
    parts: { readonly origins: HeldOrigins; readonly documents: DocumentRows },
  ) {
    this.#database = database
    this.#own = own
    this.#origins = parts.origins
    this.#documents = parts.documents
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
      const { firstSeq, touched } = this.#write(batch)
      this.#commit.run()
      for (const held of touched.values()) this.#origins.set(held)
      return { firstSeq, heads: [...touched.values()].map((held) => held.head) }
    } catch (error) {
      this.#abandon()
      throw error
    } finally {
      this.#clients.clear()
    }
  }

  #write({ own, adopted }: AppendBatch): { firstSeq: number; touched: Map<OriginId, HeldOrigin> } {
    const touched = new Map<OriginId, HeldOrigin>()
    const before = this.#origins.get(this.#own)
    assert(before !== undefined, "the own origin has a row")
    if (own.length > 0) touched.set(this.#own, this.#writeRun(before, own))
    for (const run of adopted) {
      const held =
        touched.get(run.origin) ?? this.#origins.get(run.origin) ?? this.#origins.insert(run.origin)
      if (run.firstSeq !== held.head.seq + 1) {
        throw new GapError(`${run.origin} is held to ${held.head.seq}, not to ${run.firstSeq - 1}`)
      }
      touched.set(run.origin, this.#writeRun(held, run.records))
    }
    for (const [client, seq] of this.#clients) {
      this.#raiseClient.run(Buffer.from(client, "hex"), seq)
    }
    if (touched.size === 0) this.#prove.run()
    return { firstSeq: before.head.seq + 1, touched }
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
    // SQLite has rolled back by itself after some errors, and not after others.
    if (this.#database.inTransaction) this.#rollback.run()
  }

  #refresh(): void {
    this.#origins.reload()
    this.#stale = false
  }
}
