/**
 * What a log keeps beside entries and snapshots: leaves, notes, and what a state transfer brings of
 * entries that never come. A log that is renewed keeps neither leaves nor notes. All writes happen
 * inside the caller's transaction. Rules [K7] [G2].
 */
import type { Database, Statement } from "better-sqlite3"
import { assert, parseClientId, parseDocumentId } from "@causeway/crdt/base"
import type { ClientId, OriginId } from "@causeway/crdt/base"
import {
  bucketOf,
  DIGEST_BYTES,
  genesisHash,
  hashOfLeaf,
  noteNames,
  sumOf,
} from "@causeway/crdt/log"
import type { DigestLeaf, LogEntry, Notes } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { seal } from "../seal.ts"
import { sealNamed, unsealNamed } from "../snapshot-seal.ts"
import type { SideReply, SideRequest } from "../thread/messages.ts"
import type { HeldOrigin } from "./heads.ts"
import type { LogReader } from "./reader.ts"
import { entryId, NO_DOCUMENT_ROW } from "./schema.ts"

type LeafRow = readonly [bucket: number, document: string, leaf: Buffer]

export class Side {
  readonly #insertBelow: Statement<[number, number, Buffer]>
  readonly #raiseClient: Statement<[Buffer, number, number]>
  readonly #putLeaf: Statement<[number, string, Buffer]>
  readonly #putNote: Statement<[string, Buffer]>
  readonly #removeNote: Statement<[string]>
  readonly #notes: Statement<[], { name: string; note: Buffer }>
  readonly #clients: Statement<[Buffer, number], { client: Buffer; seq: number }>
  readonly #leaves: Statement<[number, number], LeafRow>

  constructor(database: Database) {
    this.#insertBelow = database.prepare(
      "INSERT OR IGNORE INTO entries (id, document, entry) VALUES (?, ?, ?)",
    )
    this.#raiseClient = database.prepare(
      "INSERT INTO clients (client, seq, below) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET " +
        "seq = max(seq, excluded.seq), below = max(below, excluded.below)",
    )
    this.#putLeaf = database.prepare("INSERT OR REPLACE INTO leaves VALUES (?, ?, ?)")
    this.#putNote = database.prepare("INSERT OR REPLACE INTO notes VALUES (?, ?)")
    this.#removeNote = database.prepare("DELETE FROM notes WHERE name = ?")
    this.#notes = database.prepare("SELECT name, note FROM notes")
    this.#clients = database.prepare(
      "SELECT client, seq FROM clients WHERE client > ? ORDER BY client LIMIT ?",
    )
    this.#leaves = database
      .prepare<[number, number], LeafRow>(
        "SELECT bucket, document, leaf FROM leaves WHERE bucket >= ? AND bucket < ? " +
          "ORDER BY bucket, document",
      )
      .raw()
  }

  /** `held` gives an origin as the batch leaves it. */
  write(batch: AppendBatch, held: (origin: OriginId) => HeldOrigin): void {
    for (const entry of batch.below ?? []) this.#putBelow(entry, held(entry.origin))
    for (const [client, seq] of batch.clients ?? []) {
      this.#raiseClient.run(Buffer.from(client, "hex"), seq, seq)
    }
    for (const { document, vector, content } of batch.leaves ?? []) {
      const leaf = sealNamed(document, Buffer.concat([vector, content]))
      this.#putLeaf.run(bucketOf(document), document, leaf)
    }
    for (const [name, note] of batch.notes ?? []) {
      if (note === undefined) this.#removeNote.run(name)
      else this.#putNote.run(name, sealNamed(name, note))
    }
  }

  /** An entry of no document comes without its neighbours, so no hash of the chain is with it. */
  #putBelow({ seq, record }: LogEntry, held: HeldOrigin): void {
    assert(seq <= held.floor.seq, "what is above the floor comes in order")
    const { entry } = seal(genesisHash, held, seq, record)
    this.#insertBelow.run(entryId(held.row, seq), NO_DOCUMENT_ROW, Buffer.from(entry))
  }

  /** In stable order. One that is damaged is gone: what it stands for is begun anew. */
  notes(): Notes {
    const stored = new Map(this.#notes.all().map(({ name, note }) => [name, note]))
    return noteNames.flatMap((name) => {
      const sealed = stored.get(name)
      const note = sealed && unsealNamed(name, sealed)
      return note === undefined ? [] : [[name, new Uint8Array(note)] as const]
    })
  }

  read(request: SideRequest, reader: LogReader): SideReply {
    switch (request.type) {
      case "undocumented":
        return reader.undocumented(request)
      case "clients":
        return { type: "clients", clients: this.#readClients(request.after, request.limit) }
      case "leaves": {
        const leaves = [...this.#readLeaves(request.bucket, 1)].map(([, leaf]) => leaf)
        return { type: "leaves", leaves }
      }
      case "bucket-sums":
        return { type: "bucket-sums", sums: this.#sums(request.from, request.count) }
    }
  }

  #readClients(after: ClientId | undefined, limit: number): [ClientId, number][] {
    const rows = this.#clients.all(Buffer.from(after ?? "", "hex"), limit)
    return rows.flatMap(({ client, seq }) => {
      const id = parseClientId(client.toString("hex"))
      return id === undefined ? [] : [[id, seq]]
    })
  }

  /** O(leaves there). One that is damaged is not there: its document is compared as different. */
  *#readLeaves(from: number, count: number): Generator<[number, DigestLeaf]> {
    for (const [bucket, name, sealed] of this.#leaves.iterate(from, from + count)) {
      const document = parseDocumentId(name)
      const digests = unsealNamed(name, sealed)
      if (document === undefined || digests === undefined) continue
      const vector = new Uint8Array(digests.subarray(0, DIGEST_BYTES))
      const content = new Uint8Array(digests.subarray(DIGEST_BYTES))
      yield [bucket, { document, vector, content }]
    }
  }

  #sums(from: number, count: number): [number, Uint8Array][] {
    const sums = new Map<number, Uint8Array>()
    for (const [bucket, leaf] of this.#readLeaves(from, count)) {
      const hash = hashOfLeaf(leaf)
      const sum = sums.get(bucket)
      sums.set(bucket, sum === undefined ? hash : sumOf([sum, hash]))
    }
    return [...sums]
  }
}

/** Makes a renewed log forget them. */
export function forgetSide(database: Database): void {
  database.exec("DELETE FROM leaves; DELETE FROM notes")
}
