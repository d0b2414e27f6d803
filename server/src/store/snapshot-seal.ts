/**
 * What makes snapshots and floors checkable, whatever they are stored in: a CRC-32 in front, which
 * starts from the document's or the origin's name, so one in the wrong place fails it as a damaged
 * one does.
 */
import { crc32 } from "node:zlib"
import { DecodeError, Reader, Writer } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { VersionVector } from "@causeway/crdt/clock"
import { HASH_BYTES } from "@causeway/crdt/log"
import type { Head } from "@causeway/crdt/log"
import type { SealingOrigin } from "./seal.ts"

const CHECKSUM_BYTES = 4

function sealed(salt: number, content: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(CHECKSUM_BYTES + content.length)
  bytes.set(content, CHECKSUM_BYTES)
  bytes.writeUInt32LE(crc32(content, salt), 0)
  return bytes
}

/** The content, as a view, if it is what was sealed. */
function unsealed(salt: number, bytes: Buffer): Buffer | undefined {
  if (bytes.length < CHECKSUM_BYTES) return undefined
  const content = bytes.subarray(CHECKSUM_BYTES)
  return crc32(content, salt) === bytes.readUInt32LE(0) ? content : undefined
}

export function sealState(document: DocumentId, state: Uint8Array): Buffer {
  return sealed(crc32(document), state)
}

export function unsealState(document: DocumentId, bytes: Buffer): Buffer | undefined {
  return unsealed(crc32(document), bytes)
}

/** What is found by a name and says nothing of it: leaves, by their documents, and notes. */
export function sealNamed(name: string, content: Uint8Array): Buffer {
  return sealed(crc32("named", crc32(name)), content)
}

export function unsealNamed(name: string, bytes: Buffer): Buffer | undefined {
  return unsealed(crc32("named", crc32(name)), bytes)
}

/** Apart from states: neither passes for the other. */
function foldedSalt(document: DocumentId): number {
  return crc32("folded", crc32(document))
}

export function sealFolded(document: DocumentId, folded: VersionVector): Buffer {
  const writer = new Writer()
  folded.encode(writer)
  return sealed(foldedSalt(document), writer.finish())
}

export function unsealFolded(document: DocumentId, bytes: Buffer): VersionVector | undefined {
  const content = unsealed(foldedSalt(document), bytes)
  if (content === undefined) return undefined
  try {
    return VersionVector.decode(new Reader(content))
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function floorSalt({ salt }: SealingOrigin, seq: number): number {
  return (salt + seq) % 2 ** 32
}

export function sealFloor(by: SealingOrigin, { seq, hash }: Head): Buffer {
  return sealed(floorSalt(by, seq), hash)
}

/** The hash at the floor, unless it is damaged. */
export function unsealFloor(by: SealingOrigin, seq: number, bytes: Buffer): Uint8Array | undefined {
  const hash = unsealed(floorSalt(by, seq), bytes)
  return hash?.length === HASH_BYTES ? new Uint8Array(hash) : undefined
}
