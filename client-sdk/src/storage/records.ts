/**
 * Keys and values of what a client stores. Keys sort by kind, then document or number. A value
 * begins with a checksum of its key and the rest, so that a record is never read as another one.
 * What does not decode is damaged. Version 1; another one is never read as this.
 */
import { DecodeError, decodeDocumentId, encodeDocumentId } from "@causeway/crdt/base"
import { bytesConcat, limits, Reader, Writer } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import type { RejectedUpdate, StoredUpdate } from "@causeway/crdt/ports"
import { rejectCodes } from "@causeway/crdt/protocol"
import type { RejectCode } from "@causeway/crdt/protocol"
import { crc32c } from "./checksum.ts"

const VERSION = 1
const CHECKSUM_BYTES = 4
const NUMBER_BYTES = 8

const kinds = {
  identity: 0x63,
  document: 0x64,
  updates: 0x65,
  nextSeq: 0x6e,
  outbox: 0x6f,
  quarantine: 0x71,
  rejected: 0x72,
  tiers: 0x74,
} as const
type Kind = keyof typeof kinds

/** A document's copy: where its records are, and how far they go. */
export type CopyHead = {
  readonly generation: number
  /** Numbers of its records: `[first, next)`. */
  readonly first: number
  readonly next: number
  /** Of its updates. */
  readonly bytes: number
  readonly resume: VersionVector | undefined
}

export type CopyRecord = { readonly generation: number; readonly updates: readonly Uint8Array[] }

export function keyOf(kind: Kind, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  return bytesConcat([Uint8Array.of(kinds[kind]), rest])
}

export function numberKey(kind: "outbox" | "rejected", seq: number): Uint8Array {
  return keyOf(kind, numberBytes(seq))
}

export function headKey(document: DocumentId): Uint8Array {
  return keyOf("document", documentBytes(document))
}

/** Documents behind their length: none is another one's beginning. */
export function recordKey(document: DocumentId, number: number): Uint8Array {
  const name = documentBytes(document)
  const length = Uint8Array.of(name.length >> 8, name.length & 0xff)
  return keyOf("updates", bytesConcat([length, name, numberBytes(number)]))
}

export function quarantineKey(key: Uint8Array): Uint8Array {
  return keyOf("quarantine", key)
}

/** All keys of a kind. */
export function rangeOf(kind: Kind): [from: Uint8Array, to: Uint8Array] {
  return [Uint8Array.of(kinds[kind]), Uint8Array.of(kinds[kind] + 1)]
}

export function recordRange(document: DocumentId): [from: Uint8Array, to: Uint8Array] {
  return [recordKey(document, 0), recordKey(document, Number.MAX_SAFE_INTEGER)]
}

/** The number that a key ends with. */
export function numberOf(key: Uint8Array): number {
  const start = key.length - NUMBER_BYTES
  const view = new DataView(key.buffer, key.byteOffset + Math.max(0, start))
  return start < 1 ? 0 : view.getUint32(0) * 2 ** 32 + view.getUint32(4)
}

/** Undefined if the key is not of a document. */
export function documentOf(key: Uint8Array): DocumentId | undefined {
  return decoded(key.subarray(1), decodeDocumentId)
}

export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(CHECKSUM_BYTES + value.length)
  new DataView(sealed.buffer).setUint32(0, crc32c(key, value))
  sealed.set(value, CHECKSUM_BYTES)
  return sealed
}

/** Undefined if the record is damaged. */
export function unseal<T>(
  key: Uint8Array,
  sealed: Uint8Array,
  decode: (reader: Reader) => T,
): T | undefined {
  if (sealed.length < CHECKSUM_BYTES) return undefined
  const value = sealed.subarray(CHECKSUM_BYTES)
  const view = new DataView(sealed.buffer, sealed.byteOffset)
  return view.getUint32(0) === crc32c(key, value) ? decoded(value, decode) : undefined
}

function decoded<T>(bytes: Uint8Array, decode: (reader: Reader) => T): T | undefined {
  try {
    const reader = new Reader(bytes)
    const value = decode(reader)
    reader.end()
    return value
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

export function encodeUpdate({ document, generation, bytes }: StoredUpdate): Uint8Array {
  const writer = new Writer(bytes.length + 64).u8(VERSION)
  encodeDocumentId(writer, document)
  return writer.varUint(generation).bytes(bytes).finish()
}

export function decodeUpdate(seq: number): (reader: Reader) => StoredUpdate {
  return (reader) => {
    version(reader)
    const document = decodeDocumentId(reader)
    return { seq, document, generation: reader.varUint(), bytes: bytesOf(reader) }
  }
}

export function encodeRejected(update: RejectedUpdate): Uint8Array {
  const writer = new Writer(update.bytes.length + 64).string(update.code).string(update.message)
  return writer.raw(encodeUpdate(update)).finish()
}

export function decodeRejected(seq: number): (reader: Reader) => RejectedUpdate {
  return (reader) => {
    const code = reader.string(limits.textBytesMax)
    if (!isRejectCode(code)) throw new DecodeError("bad-value", reader.offset, "reject code")
    const message = reader.string(limits.textBytesMax)
    return { ...decodeUpdate(seq)(reader), code, message }
  }
}

function isRejectCode(code: string): code is RejectCode {
  return Object.hasOwn(rejectCodes, code)
}

export function encodeHead({ generation, first, next, bytes, resume }: CopyHead): Uint8Array {
  const writer = new Writer(128).u8(VERSION).varUint(generation).varUint(first).varUint(next)
  writer.varUint(bytes).u8(resume === undefined ? 0 : 1)
  resume?.encode(writer)
  return writer.finish()
}

export function decodeHead(reader: Reader): CopyHead {
  version(reader)
  const generation = reader.varUint()
  const [first, next, bytes] = [reader.varUint(), reader.varUint(), reader.varUint()]
  const resume = reader.u8() === 1 ? VersionVector.decode(reader) : undefined
  return { generation, first, next, bytes, resume }
}

export function encodeRecord({ generation, updates }: CopyRecord): Uint8Array {
  const bytes = updates.reduce((sum, update) => sum + update.length + 4, 16)
  const writer = new Writer(bytes).u8(VERSION).varUint(generation).varUint(updates.length)
  for (const update of updates) writer.bytes(update)
  return writer.finish()
}

export function decodeRecord(reader: Reader): CopyRecord {
  version(reader)
  const generation = reader.varUint()
  const count = reader.count(reader.remaining)
  return { generation, updates: Array.from({ length: count }, () => bytesOf(reader)) }
}

export function encodeText(text: string): Uint8Array {
  return new Writer(64).u8(VERSION).string(text).finish()
}

export function decodeText(reader: Reader): string {
  version(reader)
  return reader.string(limits.textBytesMax)
}

export function encodeNumber(value: number): Uint8Array {
  return new Writer(16).u8(VERSION).varUint(value).finish()
}

export function decodeNumber(reader: Reader): number {
  version(reader)
  return reader.varUint()
}

export function encodeBytes(bytes: Uint8Array): Uint8Array {
  return new Writer(bytes.length + 8).u8(VERSION).bytes(bytes).finish()
}

export function decodeBytes(reader: Reader): Uint8Array {
  version(reader)
  return bytesOf(reader)
}

function version(reader: Reader): void {
  if (reader.u8() !== VERSION) throw new DecodeError("bad-value", reader.offset, "version")
}

/** A copy, as the database's own buffer may be reused, or much larger. */
function bytesOf(reader: Reader): Uint8Array {
  return new Uint8Array(reader.bytes(reader.remaining))
}

function documentBytes(document: DocumentId): Uint8Array {
  const writer = new Writer(64)
  encodeDocumentId(writer, document)
  return writer.finish()
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(value / 2 ** 32))
  view.setUint32(4, value >>> 0)
  return bytes
}
