/**
 * A record is the canonical bytes of one entry without its name (origin, seq): what the store
 * keeps, what links carry, and what the hash chain covers. It never changes once written; a new
 * layout is a new first byte. `atMs` and `client` are for audit and for recognising repeats,
 * never for ordering. Records that belong to no document, the cluster's own, are in
 * cluster-record.ts.
 */
import {
  assert,
  decodeClientId,
  decodeDocumentId,
  DecodeError,
  encodeClientId,
  encodeDocumentId,
  limits,
  Reader,
  Writer,
} from "../base/index.ts"
import type { ClientId, DocumentId, Millis } from "../base/index.ts"
import { decodeClusterFields, encodeClusterFields } from "./cluster-record.ts"
import type { ClusterFields } from "./cluster-record.ts"

const RECORD_VERSION = 1

/** Kinds of entries. Numbers are never reused. */
export const recordKinds = {
  update: 1,
  cut: 2,
  member: 3,
  retire: 4,
  delete: 5,
  create: 6,
} as const

/** Which client's how manieth update this was; absent for stock clients. */
export type Authorship = { readonly client: ClientId; readonly seq: number }

export type UpdateFields = {
  readonly kind: "update"
  readonly document: DocumentId
  readonly author: Authorship | undefined
  readonly atMs: Millis
  readonly body: Uint8Array
}

/** Of a kind that this version does not know: kept and passed on, shown to nobody. */
export type UnknownFields = { readonly kind: "unknown"; readonly tag: number }

export type KnownFields = UpdateFields | ClusterFields
export type RecordFields = KnownFields | UnknownFields

/** Bytes a record may have beyond its body: name, author, time, lengths. */
export const recordOverheadMax = limits.documentNameBytesMax + 64

export function encodeRecord(fields: KnownFields): Uint8Array {
  if (fields.kind !== "update") {
    const writer = new Writer().u8(RECORD_VERSION).u8(recordKinds[fields.kind])
    encodeClusterFields(writer, fields)
    return writer.finish()
  }
  const writer = new Writer(fields.body.length + fields.document.length + 48)
  encodeDocumentId(writer.u8(RECORD_VERSION).u8(recordKinds.update), fields.document)
  if (fields.author === undefined) writer.u8(0)
  else encodeClientId(writer.u8(1), fields.author.client).varUint(fields.author.seq)
  writer.varUint(Math.max(0, Math.floor(fields.atMs))).bytes(fields.body)
  return writer.finish()
}

/** Decodes completely, unless the kind is unknown; `body` is a view. @throws DecodeError */
export function decodeRecord(bytes: Uint8Array): RecordFields {
  const reader = new Reader(bytes)
  const tag = decodeKind(reader)
  switch (tag) {
    case recordKinds.update: {
      const fields = decodeUpdateFields(reader)
      reader.end()
      return fields
    }
    case recordKinds.cut:
    case recordKinds.member:
    case recordKinds.retire:
    case recordKinds.delete:
    case recordKinds.create: {
      const fields = decodeClusterFields(reader, kindOfTag[tag])
      reader.end()
      return fields
    }
    default:
      return { kind: "unknown", tag }
  }
}

const kindOfTag = { 2: "cut", 3: "member", 4: "retire", 5: "delete", 6: "create" } as const

/** The record if it is an update of a document. @throws DecodeError */
export function decodeUpdate(bytes: Uint8Array): UpdateFields | undefined {
  const fields = decodeRecord(bytes)
  return fields.kind === "update" ? fields : undefined
}

/** Whether a record is the cluster's own. */
export function isClusterRecord(record: Uint8Array): boolean {
  const { kind } = decodeRecord(record)
  return kind !== "unknown" && kind !== "update"
}

/** What an entry of a document holds: its update's bytes. */
export function bodyOf(record: Uint8Array): Uint8Array {
  const update = decodeUpdate(record)
  assert(update !== undefined, "entries of documents are updates")
  return update.body
}

function decodeKind(reader: Reader): number {
  if (reader.u8() !== RECORD_VERSION) throw new DecodeError("bad-value", reader.offset, "version")
  const tag = reader.u8()
  if (tag === 0) throw new DecodeError("bad-value", reader.offset, "kind")
  return tag
}

/** What a store finds a record by. */
export type RecordHead = {
  /** Undefined for records of no document, and of kinds that are unknown. */
  readonly document: DocumentId | undefined
  readonly author: Authorship | undefined
}

/** The part a store needs: which document, whose update. @throws DecodeError */
export function decodeRecordHead(reader: Reader): RecordHead {
  if (decodeKind(reader) === recordKinds.update) return decodeUpdateHead(reader)
  return { document: undefined, author: undefined }
}

function decodeUpdateFields(reader: Reader): UpdateFields {
  const head = decodeUpdateHead(reader)
  const atMs = reader.varUint()
  return { kind: "update", ...head, atMs, body: reader.bytes(limits.updateBytesMax) }
}

function decodeUpdateHead(reader: Reader): Pick<UpdateFields, "document" | "author"> {
  const document = decodeDocumentId(reader)
  const authored = reader.u8()
  if (authored > 1) throw new DecodeError("bad-value", reader.offset, "author")
  if (authored === 0) return { document, author: undefined }
  const client = decodeClientId(reader)
  return { document, author: { client, seq: reader.varUint() } }
}
