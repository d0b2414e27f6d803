/**
 * Collects what one batch of LevelDB writes. What it learns on the way (heads, summaries, sizes)
 * becomes known to others when the batch is durable.
 */
import { Reader } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"
import { decodeRecordHead } from "@causeway/crdt/log"
import type { DocumentSnapshot } from "@causeway/crdt/log"
import { RECORD_OFFSET, seal } from "../seal.ts"
import type { LevelDatabase, Operation } from "./database.ts"
import { headValue, newOrigin, sizesOperation } from "./heads.ts"
import type { HeldOrigin, HeldOrigins } from "./heads.ts"
import { clientBelowKey, clientKey, clusterKey, documentKey, documentKeys } from "./keys.ts"
import { entryKey, headKey, placeKey } from "./keys.ts"
import { foldedValue, sharesValue } from "./summaries.ts"
import type { Folded, Share, Summaries, Summary } from "./summaries.ts"
import { decodeNumber, decodeValue, encodeNumber, sealValue } from "./values.ts"

export type LogParts = {
  readonly database: LevelDatabase
  readonly origins: HeldOrigins
  readonly summaries: Summaries
}

type OpenDocument = {
  readonly key: Buffer
  readonly before: Summary
  readonly shares: Map<OriginId, Share>
  folded: Folded | undefined
}

export class BatchWriter {
  readonly #parts: LogParts
  readonly #operations: Operation[] = []
  readonly #heads = new Map<OriginId, HeldOrigin>()
  readonly #removed: HeldOrigin[] = []
  readonly #documents = new Map<DocumentId, OpenDocument>()
  readonly #clients = new Map<ClientId, number>()
  readonly #clientsBelow = new Map<ClientId, number>()
  /** Entries that this batch deletes, by their keys. */
  readonly #dropped = new Set<string>()
  #logBytes = 0
  #snapshotBytes = 0
  /** Bytes of keys and values so far. */
  bytes = 0

  constructor(parts: LogParts) {
    this.#parts = parts
  }

  /** Writes a key, or without a value deletes it. */
  put(key: Buffer, value: Buffer | undefined): void {
    this.#operations.push([key, value])
    this.bytes += key.length + (value?.length ?? 0)
  }

  /** The origin as this batch leaves it. */
  held(origin: OriginId): HeldOrigin | undefined {
    return this.#heads.get(origin) ?? this.#parts.origins.get(origin)
  }

  setHeld(held: HeldOrigin): void {
    this.#heads.set(held.origin, held)
  }

  /** Forgets an origin without entries. */
  removeHeld(held: HeldOrigin): void {
    this.#removed.push(held)
  }

  /** Appends a record to `held`. O(record). */
  append(held: HeldOrigin, record: Uint8Array): HeldOrigin {
    const seq = held.head.seq + 1
    const sealed = seal(held.head.hash, held, seq, record)
    const next = { ...held, head: { seq, hash: new Uint8Array(sealed.hash) } }
    this.putEntry({ origin: held.origin, seq }, Buffer.from(sealed.entry))
    this.setHeld(next)
    return next
  }

  /** A sealed entry, its place in its document, and its client's number. */
  putEntry({ origin, seq }: Dot, entry: Buffer): void {
    const record = entry.subarray(RECORD_OFFSET)
    const { document, author } = decodeRecordHead(new Reader(record))
    this.put(entryKey(origin, seq), entry)
    this.#logBytes += record.length
    if (document === undefined) this.put(clusterKey(origin, seq), nothing)
    else {
      const { key, shares } = this.#open(document)
      shares.set(origin, { count: (shares.get(origin)?.count ?? 0) + 1, lastSeq: seq })
      this.put(placeKey(key, origin, seq), nothing)
    }
    if (author !== undefined) raise(this.#clients, author.client, author.seq)
  }

  /** Deletes an entry of a document, which stays counted for its client. */
  dropEntry({ origin, seq }: Dot, entry: Buffer): void {
    const key = entryKey(origin, seq)
    const record = entry.subarray(RECORD_OFFSET)
    const { document, author } = decodeRecordHead(new Reader(record))
    if (document === undefined || this.#dropped.has(key.toString("latin1"))) return
    this.#dropped.add(key.toString("latin1"))
    this.put(key, undefined)
    this.#logBytes -= record.length
    const open = this.#open(document)
    this.put(placeKey(open.key, origin, seq), undefined)
    const share = open.shares.get(origin)
    if (share !== undefined && share.count > 1) {
      open.shares.set(origin, { ...share, count: share.count - 1 })
    } else open.shares.delete(origin)
    if (author !== undefined) raise(this.#clientsBelow, author.client, author.seq)
  }

  putSnapshot({ document, state, folded }: DocumentSnapshot): void {
    const open = this.#open(document)
    const key = documentKeys.state(open.key)
    this.put(key, sealValue(key, state))
    this.#snapshotBytes += state.length - (open.folded?.stateBytes ?? 0)
    open.folded = { vector: folded.clone(), stateBytes: state.length }
    // What is known of an origin by a snapshot alone is known.
    for (const [origin] of folded.entries()) {
      if (this.held(origin) === undefined) this.setHeld(newOrigin(origin))
    }
  }

  /** What the document's snapshot holds as this batch leaves it. */
  folded(document: DocumentId): Folded | undefined {
    const open = this.#documents.get(document)
    return open === undefined ? this.#summaryOf(documentKey(document)).folded : open.folded
  }

  #summaryOf(key: Buffer): Summary {
    return this.#parts.summaries.get(key)
  }

  #open(document: DocumentId): OpenDocument {
    const known = this.#documents.get(document)
    if (known !== undefined) return known
    const key = documentKey(document)
    const before = this.#summaryOf(key)
    // Shares that are damaged start again and do not match: reads of the document tell it.
    const open = { key, before, shares: new Map(before.shares), folded: before.folded }
    this.#documents.set(document, open)
    return open
  }

  raiseClientBelow(client: ClientId, seq: number): void {
    raise(this.#clients, client, seq)
    raise(this.#clientsBelow, client, seq)
  }

  /** Durable when it is done; when it throws, nothing of it is there. */
  async write(): Promise<void> {
    const { database, origins, summaries } = this.#parts
    let { logBytes, snapshotBytes, originCount } = origins.sizes
    for (const held of this.#heads.values()) {
      if (origins.get(held.origin) === undefined) originCount += 1
      this.put(headKey(held.origin), headValue(held))
    }
    for (const held of this.#removed) {
      originCount -= 1
      this.put(headKey(held.origin), undefined)
    }
    for (const open of this.#documents.values()) this.#putSummary(open)
    this.#putClients(this.#clients, clientKey)
    this.#putClients(this.#clientsBelow, clientBelowKey)
    logBytes += this.#logBytes
    snapshotBytes += this.#snapshotBytes
    const sizes = { logBytes, snapshotBytes, originCount }
    this.put(...sizesOperation(sizes))
    await database.write(this.#operations)
    for (const held of this.#heads.values()) origins.set(held)
    for (const { origin } of this.#removed) origins.delete(origin)
    for (const { key, shares, folded } of this.#documents.values()) {
      summaries.set(key, { shares, folded, isFoldedLost: false })
    }
    origins.sizes = sizes
  }

  #putSummary({ key, before, shares, folded }: OpenDocument): void {
    const sharesKey = documentKeys.shares(key)
    this.put(sharesKey, sharesValue(sharesKey, shares))
    if (folded === before.folded) return
    const foldedKey = documentKeys.folded(key)
    this.put(foldedKey, foldedValue(foldedKey, folded))
  }

  #putClients(clients: ReadonlyMap<ClientId, number>, keyOf: (client: ClientId) => Buffer): void {
    for (const [client, seq] of clients) {
      const key = keyOf(client)
      const known = decodeValue(key, this.#parts.database.get(key), decodeNumber) ?? 0
      if (seq > known) this.put(key, sealValue(key, encodeNumber(seq)))
    }
  }
}

const nothing = Buffer.alloc(0)

function raise(clients: Map<ClientId, number>, client: ClientId, seq: number): void {
  if (seq > (clients.get(client) ?? 0)) clients.set(client, seq)
}
