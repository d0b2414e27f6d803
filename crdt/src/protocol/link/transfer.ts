/**
 * State transfer, page by page: whoever lacks entries that are truncated asks for a page of what
 * they amount to, gets documents, and then the page's end, which says where the next one starts and
 * what the sender holds. Nobody keeps anything of the other between pages. Rules [L11] [K8].
 */
import {
  decodeClientId,
  decodeDocumentId,
  DecodeError,
  encodeClientId,
  encodeDocumentId,
  limits,
  Writer,
} from "../../base/index.ts"
import type { ClientId, DocumentId, OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin, VersionVector } from "../../clock/index.ts"
import type { Dot } from "../../clock/index.ts"
import type { Head, LogEntry, ReadFailureCode } from "../../log/index.ts"
import { linkTags } from "../tags.ts"
import { decodeHeads, encodeHeads } from "./heads.ts"

/**
 * Where a page starts: behind this document; once there are no more, behind this client; and then
 * behind this entry of no document.
 */
export type TransferPlace =
  | { readonly phase: "documents"; readonly after: DocumentId | undefined }
  | { readonly phase: "clients"; readonly after: ClientId | undefined }
  | { readonly phase: "records"; readonly after: Dot | undefined }

export type TransferWant = {
  readonly type: "transfer-want"
  /** What the asker has of entries. */
  readonly since: VersionVector
  readonly place: TransferPlace
}

/** A piece of what a document amounts to; pieces come in order. */
export type TransferDocument = {
  readonly type: "document"
  readonly document: DocumentId
  /** For each origin the last seq of this document that the whole holds. */
  readonly vector: VersionVector
  /** Bytes of the whole, `encodeParts`. */
  readonly total: number
  readonly offset: number
  readonly piece: Uint8Array
}

export type TransferPage = {
  readonly type: "transfer-page"
  /** What the sender held of entries before it read the page's first document. */
  readonly heads: ReadonlyMap<OriginId, Head>
  /** Entries of no document that the asker lacks, in order of origin and seq. */
  readonly records: readonly LogEntry[]
  readonly clients: readonly (readonly [ClientId, number])[]
  /** Undefined: this was the last page. */
  readonly next: TransferPlace | undefined
}

/** The page that was asked for is not to be had: the sender's store can't read it. */
export type TransferFailed = {
  readonly type: "transfer-failed"
  readonly code: ReadFailureCode
}

export type TransferMessage = TransferWant | TransferDocument | TransferPage | TransferFailed

const types: ReadonlySet<string> = new Set<TransferMessage["type"]>([
  "transfer-want",
  "document",
  "transfer-page",
  "transfer-failed",
])

export function isTransferMessage(message: { readonly type: string }): message is TransferMessage {
  return types.has(message.type)
}

const phaseTags = { end: 0, documents: 1, clients: 2, records: 3 } as const
const failureTags = {
  "store-failed": 1,
  "document-too-large": 2,
  corrupt: 3,
} as const satisfies Record<ReadFailureCode, number>
const failureCodes = ["store-failed", "document-too-large", "corrupt"] as const

/** Undefined if the tag is of no such message. @throws DecodeError */
export function decodeTransferMessage(tag: number, reader: Reader): TransferMessage | undefined {
  switch (tag) {
    case linkTags.transferWant:
      return decodeTransferWant(reader)
    case linkTags.document:
      return decodeTransferDocument(reader)
    case linkTags.transferPage:
      return decodeTransferPage(reader)
    case linkTags.transferFailed:
      return decodeTransferFailed(reader)
    default:
      return undefined
  }
}

export function encodeTransferWant(message: TransferWant): Uint8Array {
  const writer = new Writer(256).u8(linkTags.transferWant)
  message.since.encode(writer)
  encodePlace(writer, message.place)
  return writer.finish()
}

function decodeTransferWant(reader: Reader): TransferWant {
  const since = VersionVector.decode(reader)
  const place = decodePlace(reader)
  if (place === undefined) throw new DecodeError("bad-value", reader.offset, "place")
  return { type: "transfer-want", since, place }
}

export function encodePlace(writer: Writer, place: TransferPlace | undefined): void {
  if (place === undefined) writer.u8(phaseTags.end)
  else if (place.phase === "documents") {
    writer.u8(phaseTags.documents).u8(place.after === undefined ? 0 : 1)
    if (place.after !== undefined) encodeDocumentId(writer, place.after)
  } else if (place.phase === "clients") {
    writer.u8(phaseTags.clients).u8(place.after === undefined ? 0 : 1)
    if (place.after !== undefined) encodeClientId(writer, place.after)
  } else {
    writer.u8(phaseTags.records).u8(place.after === undefined ? 0 : 1)
    if (place.after !== undefined) writer.string(place.after.origin).varUint(place.after.seq)
  }
}

export function decodePlace(reader: Reader): TransferPlace | undefined {
  const phase = reader.u8()
  if (phase === phaseTags.end) return undefined
  const isBehind = flag(reader)
  if (phase === phaseTags.documents) {
    return { phase: "documents", after: isBehind ? decodeDocumentId(reader) : undefined }
  }
  if (phase === phaseTags.clients) {
    return { phase: "clients", after: isBehind ? decodeClientId(reader) : undefined }
  }
  if (phase === phaseTags.records) {
    return { phase: "records", after: isBehind ? decodeDot(reader) : undefined }
  }
  throw new DecodeError("bad-value", reader.offset, "phase")
}

export function encodeTransferDocument(message: TransferDocument): Uint8Array {
  const writer = new Writer(message.piece.length + 256).u8(linkTags.document)
  encodeDocumentId(writer, message.document)
  message.vector.encode(writer)
  return writer.varUint(message.total).varUint(message.offset).bytes(message.piece).finish()
}

/** The piece is a copy. */
function decodeTransferDocument(reader: Reader): TransferDocument {
  const document = decodeDocumentId(reader)
  const vector = VersionVector.decode(reader)
  const total = reader.varUint()
  const offset = reader.varUint()
  const piece = reader.bytes(limits.linkFrameBytes).slice()
  const isSound = piece.length > 0 && offset + piece.length <= total
  if (!isSound || total > limits.documentReadBytesMax) {
    throw new DecodeError("bad-value", reader.offset, "piece")
  }
  return { type: "document", document, vector, total, offset, piece }
}

export function encodeTransferPage(message: TransferPage): Uint8Array {
  const writer = new Writer(1024).u8(linkTags.transferPage)
  encodeHeads(writer, message.heads)
  writer.varUint(message.records.length)
  for (const { origin, seq, record } of message.records) {
    writer.string(origin).varUint(seq).bytes(record)
  }
  writer.varUint(message.clients.length)
  for (const [client, seq] of message.clients) {
    encodeClientId(writer, client).varUint(seq)
  }
  encodePlace(writer, message.next)
  return writer.finish()
}

/** Records are copies. */
function decodeTransferPage(reader: Reader): TransferPage {
  const heads = decodeHeads(reader)
  const records: LogEntry[] = []
  for (let count = reader.count(limits.transferRecordsMax); count > 0; count--) {
    const origin = decodeOrigin(reader)
    const seq = reader.varUint()
    records.push({ origin, seq, record: reader.bytes(limits.frameBytesMax).slice() })
  }
  const clients: (readonly [ClientId, number])[] = []
  for (let count = reader.count(limits.transferClientsMax); count > 0; count--) {
    clients.push([decodeClientId(reader), reader.varUint()])
  }
  return { type: "transfer-page", heads, records, clients, next: decodePlace(reader) }
}

function decodeDot(reader: Reader): Dot {
  return { origin: decodeOrigin(reader), seq: reader.varUint() }
}

export function encodeTransferFailed({ code }: TransferFailed): Uint8Array {
  return new Writer(2).u8(linkTags.transferFailed).u8(failureTags[code]).finish()
}

function decodeTransferFailed(reader: Reader): TransferFailed {
  const number = reader.u8()
  const code = failureCodes.find((one) => failureTags[one] === number)
  if (code === undefined) throw new DecodeError("bad-value", reader.offset, "failure")
  return { type: "transfer-failed", code }
}

function flag(reader: Reader): boolean {
  const value = reader.u8()
  if (value > 1) throw new DecodeError("bad-value", reader.offset, "flag")
  return value === 1
}

/** Updates and states one after the other, as one sequence of bytes. */
export function encodeParts(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length + 8, 8)
  const writer = new Writer(size).varUint(parts.length)
  for (const part of parts) writer.bytes(part)
  return writer.finish()
}

/** Views on the bytes of `reader`, to their end. @throws DecodeError */
export function decodeParts(reader: Reader): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let count = reader.count(limits.documentPartsMax); count > 0; count--) {
    parts.push(reader.bytes(limits.documentReadBytesMax))
  }
  reader.end()
  return parts
}
