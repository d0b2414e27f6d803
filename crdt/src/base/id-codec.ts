/** How documents and clients are named in records and messages. */
import { assert } from "./assert.ts"
import { bytesFromHex, bytesToHex } from "./bytes.ts"
import { DecodeError } from "./errors.ts"
import { documentIdOf, engineOfTag, engineTags, parseClientId, partsOfDocumentId } from "./ids.ts"
import type { ClientId, DocumentId } from "./ids.ts"
import { limits } from "./limits.ts"
import type { Reader } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** Its engine's number, then its name. */
export function encodeDocumentId(writer: Writer, document: DocumentId): Writer {
  const { engine, name } = partsOfDocumentId(document)
  return writer.u8(engineTags[engine]).string(name)
}

/** @throws DecodeError */
export function decodeDocumentId(reader: Reader): DocumentId {
  const engine = engineOfTag(reader.u8())
  if (engine === undefined) throw new DecodeError("unknown-engine", reader.offset)
  const document = documentIdOf(engine, reader.string(limits.documentNameBytesMax))
  if (document === undefined) throw new DecodeError("bad-value", reader.offset, "name")
  return document
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
