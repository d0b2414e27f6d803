/**
 * What makes a stored entry checkable: `checksum (4 bytes) | hash (16) | record`. The hash is
 * crdt's `chainHash`, by Node's native SHA-256. The checksum is a CRC-32 over hash and record
 * that starts from origin and seq, so an entry in the wrong place fails it as a damaged one does.
 *
 * One scratch area serves both: `… previous hash | origin | seq |` ends where the record starts;
 * once hashed, checksum and hash overwrite it, and the entry stands there in one piece.
 */
import { hash as nativeHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { HASH_BYTES } from "@causeway/crdt/log"

const CHECKSUM_BYTES = 4
/** Where the record starts in a stored entry. */
export const RECORD_OFFSET: number = CHECKSUM_BYTES + HASH_BYTES

/** Longer entries get an area of their own, which is not kept. */
const SCRATCH_BYTES = 64 * 1024
/** Room before the record: previous hash, origin (up to 81 bytes), seq (up to 8). */
const RECORD_AT = 128

const scratch = Buffer.alloc(SCRATCH_BYTES)

/** An origin and the CRC-32 of its name, from which its entries' checksums start. */
export type SealingOrigin = { readonly origin: string; readonly salt: number }

export function saltOf(origin: string): number {
  return crc32(origin)
}

export type Sealed = {
  readonly hash: Uint8Array
  /** What is stored. Overwritten by the next seal. */
  readonly entry: Buffer
}

/** Seals entry (origin, seq), whose predecessor's hash is `previous`. O(record). */
export function seal(
  previous: Uint8Array,
  by: SealingOrigin,
  seq: number,
  record: Uint8Array,
): Sealed {
  const end = RECORD_AT + record.length
  const area = end <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(end)
  area.set(record, RECORD_AT)
  const input = area.subarray(writeName(area, previous, by.origin, seq), end)
  const hash = nativeHash("sha256", input, "buffer").subarray(0, HASH_BYTES)
  const entry = area.subarray(RECORD_AT - RECORD_OFFSET, end)
  entry.set(hash, CHECKSUM_BYTES)
  entry.writeUInt32LE(checksumOf(by, seq, entry), 0)
  return { hash, entry }
}

/** Writes `previous | origin | seq` so that it ends at the record; gives where it starts. */
function writeName(area: Buffer, previous: Uint8Array, origin: string, seq: number): number {
  let seqBytes = 1
  for (let rest = seq; rest > 0x7f; rest = Math.floor(rest / 128)) seqBytes += 1
  const start = RECORD_AT - seqBytes - origin.length - HASH_BYTES
  area.set(previous, start)
  area.write(origin, start + HASH_BYTES, "latin1")
  let at = RECORD_AT - seqBytes
  let rest = seq
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) area[at++] = 0x80 | (rest % 128)
  area[at] = rest
  return start
}

function checksumOf({ salt }: SealingOrigin, seq: number, entry: Buffer): number {
  return crc32(entry.subarray(CHECKSUM_BYTES), (salt + seq) % 2 ** 32)
}

/**
 * Whether a stored entry is the one that was sealed for (origin, seq). In a damaged database what
 * stands there need not even be bytes. O(record).
 */
export function isSound(by: SealingOrigin, seq: number, entry: Buffer): boolean {
  if (!isBytes(entry) || entry.length < RECORD_OFFSET) return false
  return checksumOf(by, seq, entry) === entry.readUInt32LE(0)
}

function isBytes(entry: unknown): boolean {
  return entry instanceof Uint8Array
}

/** The hash of a stored entry, as a view; zeros if there is none. */
export function hashOf(entry: Buffer): Buffer {
  if (!isBytes(entry) || entry.length < RECORD_OFFSET) return Buffer.alloc(HASH_BYTES)
  return entry.subarray(CHECKSUM_BYTES, RECORD_OFFSET)
}
