/**
 * The keys. LevelDB is one ordered map of bytes, so what SQLite has as tables and an index are
 * ranges here, each under a letter of its own:
 *
 *   b slot              the ring of batch numbers (batches.ts)
 *   c client            a client's highest update number
 *   d document origin seq   nothing: where a document's entries are
 *   e origin seq        an entry, sealed (../seal.ts)
 *   h origin            its floor and head
 *   k client            the highest number of those of its updates that were deleted
 *   l bucket document   its leaf, by which nodes compare it
 *   m name              what the folder is, and whose; notes
 *   n origin seq        nothing: where entries of no document are
 *   s document          its snapshot's state
 *   t document e        how many entries of which origins it has (summaries.ts)
 *   t document f        what its snapshot holds: the folded vector
 *
 * Every part of a key but the last ends by itself, so no key is the beginning of another's range.
 */
import { assert, parseClientId, parseOriginId, parseDocumentId } from "@causeway/crdt/base"
import type { ClientId, DocumentId, OriginId } from "@causeway/crdt/base"
import type { Dot } from "@causeway/crdt/clock"

/** Folder of LevelDB's own files within the data folder. */
export const LEVEL_FOLDER = "causeway.level"

/** All keys from `gte` to before `lt`. */
export type KeyRange = { readonly gte: Buffer; readonly lt: Buffer }

/** Seqs are written with the highest byte first: 2^48 entries of one origin. */
const SEQ_BYTES = 6
const SEQ_MAX = 2 ** (8 * SEQ_BYTES) - 1

const slotBytes = 4

/** The range of a letter. */
export function rangeOf(letter: string): KeyRange {
  const start = letter.charCodeAt(0)
  return { gte: Buffer.of(start), lt: Buffer.of(start + 1) }
}

export function metaKey(name: string): Buffer {
  return Buffer.from(`m${name}`)
}

/** The meta values whose names begin like this. */
export function metaRange(beginning: string): KeyRange {
  return { gte: metaKey(beginning), lt: metaKey(`${beginning}\u007f`) }
}

export function nameOfMetaKey(key: Buffer): string {
  return key.toString("utf8", 1)
}

export function headKey(origin: OriginId): Buffer {
  return Buffer.from(`h${origin}`, "latin1")
}

export function originOfHeadKey(key: Buffer): OriginId | undefined {
  return parseOriginId(key.toString("latin1", 1))
}

/** All clients behind this one. */
export function clientRangeAfter(client: ClientId | undefined): KeyRange {
  const range = rangeOf("c")
  return client === undefined
    ? range
    : { gte: Buffer.concat([clientKey(client), Buffer.of(0)]), lt: range.lt }
}

/** Of what is in the log, or of what was. */
export function clientKey(client: ClientId): Buffer {
  return Buffer.from(`63${client}`, "hex")
}

export function clientBelowKey(client: ClientId): Buffer {
  return Buffer.from(`6b${client}`, "hex")
}

export function clientOfKey(key: Buffer): ClientId | undefined {
  return parseClientId(key.toString("hex", 1))
}

export function slotKey(slot: number): Buffer {
  const key = Buffer.alloc(1 + slotBytes, "b")
  key.writeUInt32BE(slot, 1)
  return key
}

export function entryKey(origin: OriginId, seq: number): Buffer {
  return withSeq(Buffer.from(`e${origin}\0`, "latin1"), seq)
}

/** Entries of `origin` from `from` to `to`, both included. */
export function entryRange(origin: OriginId, from: number, to: number): KeyRange {
  return seqRange(Buffer.from(`e${origin}\0`, "latin1"), from, to)
}

export function seqOfEntryKey(key: Buffer): number {
  return key.readUIntBE(key.length - SEQ_BYTES, SEQ_BYTES)
}

export function documentKey(document: DocumentId): Buffer {
  return Buffer.concat([Buffer.from("d"), escaped(document)])
}

/** Keys of what is known of a document; `key` is the document's. */
export const documentKeys = {
  shares: (key: Buffer): Buffer => relettered("t", key, "e"),
  folded: (key: Buffer): Buffer => relettered("t", key, "f"),
  state: (key: Buffer): Buffer => relettered("s", key),
} as const

const BUCKET_BYTES = 2

/** `key` is the document's. */
export function leafKey(bucket: number, key: Buffer): Buffer {
  return Buffer.concat([bucketStart(bucket), key.subarray(1)])
}

/** The leaves of `count` buckets from `from` on. */
export function leafRange(from: number, count: number): KeyRange {
  const end = from + count
  return {
    gte: bucketStart(from),
    lt: end < 2 ** (8 * BUCKET_BYTES) ? bucketStart(end) : rangeOf("l").lt,
  }
}

function bucketStart(bucket: number): Buffer {
  const start = Buffer.alloc(1 + BUCKET_BYTES, "l")
  start.writeUIntBE(bucket, 1, BUCKET_BYTES)
  return start
}

export function bucketOfLeafKey(key: Buffer): number {
  return key.readUIntBE(1, BUCKET_BYTES)
}

/** The document that a key ends in. */
export function documentOfLeafKey(key: Buffer): DocumentId | undefined {
  return parseDocumentId(unescaped(key.subarray(1 + BUCKET_BYTES, -2)))
}

function relettered(letter: string, key: Buffer, end = ""): Buffer {
  return Buffer.concat([Buffer.from(letter), key.subarray(1), Buffer.from(end)])
}

/** All `t` keys of documents behind this one. */
export function knownRangeAfter(document: DocumentId | undefined): KeyRange {
  const range = rangeOf("t")
  if (document === undefined) return range
  const last = documentKeys.folded(documentKey(document))
  return { gte: Buffer.concat([last, Buffer.of(0)]), lt: range.lt }
}

/** The document of a `t` key, and its last letter. */
export function documentOfKnownKey(
  key: Buffer,
): { document: DocumentId; which: string } | undefined {
  const document = parseDocumentId(unescaped(key.subarray(1, -3)))
  return document && { document, which: key.toString("latin1", key.length - 1) }
}

/** The document of an `s` key. */
export function documentOfStateKey(key: Buffer): DocumentId | undefined {
  return parseDocumentId(unescaped(key.subarray(1, -2)))
}

/** `key` is the document's. */
export function placeKey(key: Buffer, origin: OriginId, seq: number): Buffer {
  return withSeq(Buffer.concat([key, Buffer.from(`${origin}\0`, "latin1")]), seq)
}

/** Every place of the document whose key this is. */
export function placeRange(key: Buffer): KeyRange {
  return { gte: key, lt: Buffer.concat([key, Buffer.of(0xff)]) }
}

export function clusterKey(origin: OriginId, seq: number): Buffer {
  return withSeq(Buffer.from(`n${origin}\0`, "latin1"), seq)
}

/** All `n` keys behind this one, in order of origin and seq. */
export function clusterRangeAfter(after: Dot | undefined): KeyRange {
  const range = rangeOf("n")
  if (after === undefined) return range
  return { gte: Buffer.concat([clusterKey(after.origin, after.seq), Buffer.of(0)]), lt: range.lt }
}

/** What a key that ends in origin and seq names; undefined if it is no such key. */
export function dotOfKey(key: Buffer): { origin: OriginId; seq: number } | undefined {
  const end = key.length - SEQ_BYTES - 1
  if (end < 1 || key[end] !== 0) return undefined
  // Neither names of origins nor ends of documents have the byte 0 or 1 within them.
  let start = end
  while (start > 1 && (key[start - 1] ?? 0) > 1) start -= 1
  const origin = parseOriginId(key.toString("latin1", start, end))
  return origin && { origin, seq: key.readUIntBE(end + 1, SEQ_BYTES) }
}

function withSeq(prefix: Buffer, seq: number): Buffer {
  assert(seq >= 0 && seq <= SEQ_MAX, "seq out of the store's range")
  const key = Buffer.allocUnsafe(prefix.length + SEQ_BYTES)
  key.set(prefix)
  key.writeUIntBE(seq, prefix.length, SEQ_BYTES)
  return key
}

function seqRange(prefix: Buffer, from: number, to: number): KeyRange {
  // Behind the last possible seq comes the next shorter key that is greater than all of them.
  const lt = to >= SEQ_MAX ? Buffer.concat([prefix, Buffer.alloc(SEQ_BYTES + 1, 0xff)]) : undefined
  return { gte: withSeq(prefix, from), lt: lt ?? withSeq(prefix, to + 1) }
}

/** UTF-8 that ends with 0 1; a 0 within it becomes 0 255, so the order stays that of the names. */
function escaped(text: string): Buffer {
  const parts = text.split("\0").map((part) => Buffer.from(part))
  const bytes = parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.of(0, 0xff), part]))
  return Buffer.concat([...bytes, Buffer.of(0, 1)])
}

function unescaped(bytes: Buffer): string {
  const kept = bytes.filter((byte, index) => byte !== 0xff || bytes[index - 1] !== 0)
  return kept.toString()
}
