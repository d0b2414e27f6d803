/**
 * What a log keeps beside entries and snapshots: leaves, notes, and what a state transfer brings of
 * entries that never come. A log that is renewed keeps neither leaves nor notes. Rules [K7] [G2].
 */
import { assert } from "@causeway/crdt/base"
import type { ClientId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { Dot } from "@causeway/crdt/clock"
import {
  bucketOf,
  DIGEST_BYTES,
  genesisHash,
  hashOfLeaf,
  isClusterRecord,
  noteNames,
  RecordPage,
  sumOf,
} from "@causeway/crdt/log"
import type { DigestLeaf, LogEntry, Notes } from "@causeway/crdt/log"
import type { AppendBatch } from "@causeway/crdt/ports"
import { corrupt } from "../entry-check.ts"
import type { EntryChecker } from "../entry-check.ts"
import { RECORD_OFFSET, seal } from "../seal.ts"
import type { SideReply, SideRequest, UndocumentedRequest } from "../thread/messages.ts"
import type { BatchWriter, LogParts } from "./batch-writer.ts"
import type { LevelDatabase } from "./database.ts"
import { newOrigin } from "./heads.ts"
import {
  bucketOfLeafKey,
  clientOfKey,
  clientRangeAfter,
  clusterRangeAfter,
  documentKey,
} from "./keys.ts"
import {
  documentOfLeafKey,
  dotOfKey,
  entryKey,
  leafKey,
  leafRange,
  metaKey,
  rangeOf,
} from "./keys.ts"
import { decodeNumber, decodeValue, openValue, sealValue } from "./values.ts"

/** What a batch writes of it. */
export function collectSide(writer: BatchWriter, parts: LogParts, batch: AppendBatch): void {
  for (const entry of batch.below ?? []) putBelow(writer, parts.database, entry)
  for (const [client, seq] of batch.clients ?? []) writer.raiseClientBelow(client, seq)
  for (const leaf of batch.leaves ?? []) {
    const key = leafKey(bucketOf(leaf.document), documentKey(leaf.document))
    writer.put(key, sealValue(key, Buffer.concat([leaf.vector, leaf.content])))
  }
  for (const [name, value] of batch.notes ?? []) {
    const key = noteKey(name)
    writer.put(key, value === undefined ? undefined : sealValue(key, value))
  }
}

/** An entry of no document comes without its neighbours, so no hash of the chain is with it. */
function putBelow(writer: BatchWriter, database: LevelDatabase, entry: LogEntry): void {
  const { origin, seq, record } = entry
  const held = writer.held(origin) ?? newOrigin(origin)
  assert(seq <= held.floor.seq, "what is above the floor comes in order")
  if (database.get(entryKey(origin, seq)) !== undefined) return
  const sealed = seal(genesisHash, held, seq, record)
  writer.putEntry({ origin, seq }, Buffer.from(sealed.entry))
}

function noteKey(name: string): Buffer {
  return metaKey(`note ${name}`)
}

/** In stable order. */
export function storedNotes(database: LevelDatabase): Notes {
  return noteNames.flatMap((name) => {
    const key = noteKey(name)
    const value = openValue(key, database.get(key))
    return value === undefined ? [] : [[name, new Uint8Array(value)] as const]
  })
}

/** Makes a renewed log forget them. */
export async function forgetSide(writer: BatchWriter, database: LevelDatabase): Promise<void> {
  for (const name of noteNames) writer.put(noteKey(name), undefined)
  for await (const page of database.keyPages(rangeOf("l"))) {
    for (const key of page) writer.put(key, undefined)
  }
}

export class SideReader {
  readonly #parts: LogParts
  readonly #checker: EntryChecker

  constructor(parts: LogParts, checker: EntryChecker) {
    this.#parts = parts
    this.#checker = checker
  }

  async read(request: SideRequest): Promise<SideReply> {
    switch (request.type) {
      case "undocumented":
        return await this.#undocumented(request)
      case "clients":
        return { type: "clients", clients: await this.#clients(request.after, request.limit) }
      case "leaves":
        return { type: "leaves", leaves: (await this.#leaves(request.bucket, 1)).map(leafOf) }
      case "bucket-sums":
        return { type: "bucket-sums", sums: await this.#sums(request.from, request.count) }
    }
  }

  /** The cluster's own entries. O(entries of no document). */
  async clusterRecords(): Promise<LogEntry[]> {
    const entries: LogEntry[] = []
    for await (const [, entry] of this.#entriesBehind(undefined)) {
      if (entry !== undefined && isClusterRecord(entry.record)) entries.push(entry)
    }
    return entries
  }

  /** A page of entries of no document. O(those of before it and its own). */
  async #undocumented({ since, after, ...bounds }: UndocumentedRequest): Promise<SideReply> {
    const page = new RecordPage(bounds)
    const known = new VersionVector(since)
    for await (const [dot, entry] of this.#entriesBehind(after, known)) {
      if (entry === undefined) return corrupt(dot.origin, dot.seq)
      if (!page.take(entry)) break
    }
    return page.finish()
  }

  /** Entries of no document in order of origin and seq; undefined: it is damaged. */
  async *#entriesBehind(
    after: Dot | undefined,
    known = new VersionVector(),
  ): AsyncGenerator<readonly [Dot, LogEntry | undefined]> {
    const { database, origins } = this.#parts
    for await (const page of database.keyPages(clusterRangeAfter(after))) {
      for (const dot of page.map(dotOfKey)) {
        const held = dot && origins.get(dot.origin)
        if (dot === undefined || held === undefined) continue
        if (dot.seq > held.head.seq || known.covers(dot)) continue
        const entry = database.getReadable(entryKey(dot.origin, dot.seq))
        if (entry === undefined) this.#checker.report(dot.origin, dot.seq)
        const isSound = entry !== undefined && this.#checker.check(held, dot.seq, entry)
        const record = isSound ? new Uint8Array(entry.subarray(RECORD_OFFSET)) : undefined
        yield [dot, record && { ...dot, record }]
      }
    }
  }

  async #clients(after: ClientId | undefined, limit: number): Promise<[ClientId, number][]> {
    const clients: [ClientId, number][] = []
    for await (const page of this.#parts.database.pages(clientRangeAfter(after))) {
      for (const [key, value] of page) {
        if (clients.length >= limit) return clients
        const client = clientOfKey(key)
        const seq = decodeValue(key, value, decodeNumber)
        if (client !== undefined && seq !== undefined) clients.push([client, seq])
      }
    }
    return clients
  }

  /** O(leaves there). One that is damaged is not there: its document is compared as different. */
  async #leaves(from: number, count: number): Promise<BucketLeaf[]> {
    const leaves: BucketLeaf[] = []
    for await (const page of this.#parts.database.pages(leafRange(from, count))) {
      for (const [key, value] of page) {
        const document = documentOfLeafKey(key)
        const digests = openValue(key, value)
        if (document === undefined || digests === undefined) continue
        const vector = new Uint8Array(digests.subarray(0, DIGEST_BYTES))
        const content = new Uint8Array(digests.subarray(DIGEST_BYTES))
        leaves.push({ bucket: bucketOfLeafKey(key), leaf: { document, vector, content } })
      }
    }
    return leaves
  }

  async #sums(from: number, count: number): Promise<[number, Uint8Array][]> {
    const sums = new Map<number, Uint8Array>()
    for (const { bucket, leaf } of await this.#leaves(from, count)) {
      const hash = hashOfLeaf(leaf)
      const sum = sums.get(bucket)
      sums.set(bucket, sum === undefined ? hash : sumOf([sum, hash]))
    }
    return [...sums]
  }
}

type BucketLeaf = { readonly bucket: number; readonly leaf: DigestLeaf }

function leafOf({ leaf }: BucketLeaf): DigestLeaf {
  return leaf
}
