/**
 * Values with a checksum in front: `checksum (4 bytes) | payload`, a CRC-32 that starts from the
 * key, so a value in the wrong place fails it as a damaged one does. LevelDB verifies what it reads
 * from its log, and not what it reads from its tables. Entries have their own seal (../seal.ts).
 */
import { crc32 } from "node:zlib"
import { DecodeError, Reader, Writer } from "@causeway/crdt/base"
import { HASH_BYTES } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"

const CHECKSUM_BYTES = 4

export function sealValue(key: Buffer, payload: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + payload.length)
  value.set(payload, CHECKSUM_BYTES)
  value.writeUInt32LE(crc32(payload, crc32(key)), 0)
  return value
}

/** The payload; undefined if there is no value or it is damaged. */
export function openValue(key: Buffer, value: Buffer | undefined): Uint8Array | undefined {
  if (value === undefined || value.length < CHECKSUM_BYTES) return undefined
  const payload = value.subarray(CHECKSUM_BYTES)
  return crc32(payload, crc32(key)) === value.readUInt32LE(0) ? payload : undefined
}

/** What `decode` makes of a sound value; undefined where there is none. */
export function decodeValue<Value>(
  key: Buffer,
  value: Buffer | undefined,
  decode: (reader: Reader) => Value,
): Value | undefined {
  const payload = openValue(key, value)
  if (payload === undefined) return undefined
  try {
    return decode(new Reader(payload))
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

export function encodeNumber(value: number): Uint8Array {
  return new Writer(8).varUint(value).finish()
}

export function decodeNumber(reader: Reader): number {
  return reader.varUint()
}

export function encodeHead(writer: Writer, { seq, hash }: Head): Writer {
  return writer.varUint(seq).raw(hash)
}

export function decodeHead(reader: Reader): Head {
  return { seq: reader.varUint(), hash: new Uint8Array(reader.raw(HASH_BYTES)) }
}
