/**
 * What an Automerge document has and a node lacks, but for changes that are on their way there
 * anyway. Summaries are heads: varUint count, then 32 bytes each, ascending.
 */
import type * as Automerge from "@automerge/automerge"
import { bytesConcat, bytesFromHex, bytesToHex, Reader, Writer } from "@causeway/crdt/base"

type Library = typeof Automerge

const hashBytes = 32
/** A chunk: magic 4, checksum 4, type 1, then its body behind its length. */
const chunkHeaderBytes = 9

export function headsSummary(heads: readonly string[]): Uint8Array {
  const hashes = heads.toSorted((left, right) => (left < right ? -1 : 1))
  const writer = new Writer(1 + hashes.length * hashBytes).varUint(hashes.length)
  for (const hash of hashes) writer.raw(bytesFromHex(hash) ?? new Uint8Array(0))
  return writer.finish()
}

export function automergeLacking<T>(
  library: Library,
  doc: Automerge.Doc<T>,
  summary: Uint8Array,
  outgoing: readonly Uint8Array[],
): Uint8Array | undefined {
  // A head that is not known here is news from others: it says nothing about what we have.
  const known = headsOf(summary).filter((hash) => library.hasHeads(doc, [hash]))
  const changes = library.getChangesSince(doc, known)
  if (changes.length === 0) return undefined
  const underWay = new Set(outgoing.flatMap(chunksOf).map((chunk) => hashOf(library, chunk)))
  const lacking = changes.filter((change) => !underWay.has(hashOf(library, change)))
  return lacking.length === 0 ? undefined : bytesConcat(lacking)
}

/** Whether the document has every change of the update. */
export function automergeHas<T>(
  library: Library,
  doc: Automerge.Doc<T>,
  update: Uint8Array,
): boolean {
  const hashes = chunksOf(update).map((chunk) => hashOf(library, chunk))
  return hashes.every((hash) => library.hasHeads(doc, [hash]))
}

function headsOf(summary: Uint8Array): string[] {
  const reader = new Reader(summary)
  const count = reader.count(Math.floor(summary.length / hashBytes))
  return Array.from({ length: count }, () => bytesToHex(reader.raw(hashBytes)))
}

function hashOf(library: Library, change: Uint8Array): string {
  return library.decodeChange(change).hash
}

function chunksOf(update: Uint8Array): Uint8Array[] {
  const reader = new Reader(update)
  const chunks: Uint8Array[] = []
  while (reader.remaining > 0) {
    const start = reader.offset
    reader.raw(chunkHeaderBytes)
    reader.bytes(reader.remaining)
    chunks.push(update.subarray(start, reader.offset))
  }
  return chunks
}
