/** How documents and clients are named in records and messages. */
import { assert } from "./assert.ts"
import { bytesFromHex, bytesToHex } from "./bytes.ts"
import { DecodeError } from "./errors.ts"
import {
  documentIdOf,
  engineOfTag,
  engineTags,
  generationOf,
  parseClientId,
  partsOfDocumentId,
} from "./ids.ts"
import type { ClientId, DocumentId } from "./ids.ts"
import { limits } from "./limits.ts"
import type { Reader } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** Set in the byte of the engine where a generation stands before the name. */
const HELD = 0x40

/** Its engine's number, its generation if it is not the first, then its name. */
export function encodeDocumentId(writer: Writer, document: DocumentId): Writer {
  const { generation } = partsOfDocumentId(document)
  return encodeHeldDocument(writer, document, generation === 1 ? 0 : generation)
}

/** @throws DecodeError */
export function decodeDocumentId(reader: Reader): DocumentId {
  const { name, held } = decodeHeldDocument(reader)
  // One document has one name in bytes: the first generation is never said.
  if (held === 1) throw new DecodeError("bad-value", reader.offset, "generation")
  return held === 0 ? name : generationOf(name, held)
}

/** A name, and which generation of it somebody holds; 0: none, which takes no bytes. */
export function encodeHeldDocument(writer: Writer, document: DocumentId, held: number): Writer {
  const { engine, name } = partsOfDocumentId(document)
  if (held === 0) writer.u8(engineTags[engine])
  else writer.u8(engineTags[engine] | HELD).varUint(held)
  return writer.string(name)
}

/** `name`: the first generation. @throws DecodeError */
export function decodeHeldDocument(reader: Reader): { name: DocumentId; held: number } {
  const tag = reader.u8()
  const isHeld = (tag & HELD) !== 0
  const engine = engineOfTag(tag & ~HELD)
  if (engine === undefined) throw new DecodeError("unknown-engine", reader.offset)
  const held = isHeld ? reader.count(limits.generationMax) : 0
  if (isHeld && held === 0) throw new DecodeError("bad-value", reader.offset, "generation")
  const name = documentIdOf(engine, reader.string(limits.documentNameBytesMax))
  if (name === undefined) throw new DecodeError("bad-value", reader.offset, "name")
  return { name, held }
}

const CLIENT_BYTES = 16

export function encodeClientId(writer: Writer, client: ClientId): Writer {
  const bytes = bytesFromHex(client)
  // A stand-in would be an id that clients share, and their updates would count as repeats.
  assert(bytes?.length === CLIENT_BYTES, "client id")
  return writer.raw(bytes)
}

/** @throws DecodeError */
export function decodeClientId(reader: Reader): ClientId {
  const client = parseClientId(bytesToHex(reader.raw(CLIENT_BYTES)))
  if (client === undefined) throw new DecodeError("bad-value", reader.offset, "client")
  return client
}
