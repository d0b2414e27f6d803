/**
 * A record is the canonical bytes of one entry without its name (origin, seq): what the store
 * keeps, what links carry, and what the hash chain covers. It never changes once written; a new
 * layout is a new first byte. `atMs` and `client` are for audit and for recognising repeats,
 * never for ordering.
 */
import {
  assert,
  bytesFromHex,
  bytesToHex,
  DecodeError,
  documentIdOf,
  engineOfTag,
  engineTags,
  limits,
  parseClientId,
  partsOfDocumentId,
  Reader,
  Writer,
} from "../base/index.ts"
import type { ClientId, DocumentId, Millis } from "../base/index.ts"

const RECORD_VERSION = 1

/** Kinds of entries. Numbers are never reused. */
export const recordKinds = { update: 1 } as const

/** Which client's how manieth update this was; absent for stock clients. */
export type Authorship = { readonly client: ClientId; readonly seq: number }

export type RecordFields = {
  readonly document: DocumentId
  readonly author: Authorship | undefined
  readonly atMs: Millis
  readonly body: Uint8Array
}

/** Bytes a record may have beyond its body: name, author, time, lengths. */
export const recordOverheadMax = limits.documentNameBytesMax + 64

export function encodeRecord(fields: RecordFields): Uint8Array {
  const { engine, name } = partsOfDocumentId(fields.document)
  const writer = new Writer(fields.body.length + name.length + 48)
  writer.u8(RECORD_VERSION).u8(recordKinds.update).u8(engineTags[engine]).string(name)
  if (fields.author === undefined) writer.u8(0)
  else {
    const client = bytesFromHex(fields.author.client)
    assert(client !== undefined, "a client id is hex")
    writer.u8(1).raw(client).varUint(fields.author.seq)
  }
  writer.varUint(Math.max(0, Math.floor(fields.atMs))).bytes(fields.body)
  return writer.finish()
}

/** Decodes completely; `body` is a view on `bytes`. @throws DecodeError */
export function decodeRecord(bytes: Uint8Array): RecordFields {
  const reader = new Reader(bytes)
  const head = decodeRecordHead(reader)
  const atMs = reader.varUint()
  const body = reader.bytes(limits.updateBytesMax)
  reader.end()
  return { ...head, atMs, body }
}

/** The part a store needs: which document, whose update. @throws DecodeError */
export function decodeRecordHead(reader: Reader): Pick<RecordFields, "document" | "author"> {
  if (reader.u8() !== RECORD_VERSION) throw new DecodeError("bad-value", reader.offset, "version")
  if (reader.u8() !== recordKinds.update) throw new DecodeError("bad-value", reader.offset, "kind")
  const engine = engineOfTag(reader.u8())
  if (engine === undefined) throw new DecodeError("unknown-engine", reader.offset)
  const document = documentIdOf(engine, reader.string(limits.documentNameBytesMax))
  if (document === undefined) throw new DecodeError("bad-value", reader.offset, "name")
  const authored = reader.u8()
  if (authored > 1) throw new DecodeError("bad-value", reader.offset, "author")
  if (authored === 0) return { document, author: undefined }
  const client = parseClientId(bytesToHex(reader.raw(16)))
  if (client === undefined) throw new DecodeError("bad-value", reader.offset, "client")
  return { document, author: { client, seq: reader.varUint() } }
}
