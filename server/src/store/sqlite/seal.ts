/**
 * What makes a stored entry checkable: its chain hash (the same as crdt's `chainHash`, by Node's
 * native SHA-256) and a CRC-32 over origin, seq, record and hash. Both are computed over one
 * scratch area `previous hash | origin | seq | record | hash`, so that nothing is allocated for
 * an ordinary entry but the hash itself.
 */
import { hash as nativeHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { HASH_BYTES } from "@causeway/crdt/log"

/** Records longer than this get their own area, which is not kept. */
const SCRATCH_BYTES = 64 * 1024
const NAME_BYTES_MAX = 64 + 1 + 16 + 8

export type Seal = { readonly hash: Buffer; readonly checksum: number }

const scratch = Buffer.alloc(SCRATCH_BYTES)

/** Seals entry (origin, seq), whose predecessor's hash is `previous`. O(record). */
export function seal(previous: Uint8Array, origin: string, seq: number, record: Uint8Array): Seal {
  const area = areaFor(record)
  area.set(previous, 0)
  const end = layOut(area, origin, seq, record)
  const hash = nativeHash("sha256", area.subarray(0, end), "buffer").subarray(0, HASH_BYTES)
  area.set(hash, end)
  return { hash, checksum: crc32(area.subarray(HASH_BYTES, end + HASH_BYTES)) }
}

/** The checksum a stored entry should have. O(record). */
export function checksumOf(
  origin: string,
  seq: number,
  record: Uint8Array,
  hash: Uint8Array,
): number {
  const area = areaFor(record)
  const end = layOut(area, origin, seq, record)
  area.set(hash, end)
  return crc32(area.subarray(HASH_BYTES, end + hash.length))
}

function areaFor(record: Uint8Array): Buffer {
  const needed = 2 * HASH_BYTES + NAME_BYTES_MAX + record.length
  return needed <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(needed)
}

/** Writes name and record after the place of the previous hash; gives where they end. */
function layOut(area: Buffer, origin: string, seq: number, record: Uint8Array): number {
  let offset = HASH_BYTES + area.write(origin, HASH_BYTES, "latin1")
  let rest = seq
  while (rest > 0x7f) {
    area[offset++] = 0x80 | (rest % 128)
    rest = Math.floor(rest / 128)
  }
  area[offset++] = rest
  area.set(record, offset)
  return offset + record.length
}
