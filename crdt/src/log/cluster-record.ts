/**
 * Records that belong to no document: what a cluster agrees on. A `cut` ends an origin at
 * `keepSeq`: what was behind it is logged again elsewhere. A `member` says that a node takes part,
 * and where it is reached. A `retire` ends the origins of one node for good. A `delete` ends a
 * document, a `create` begins the next one of its name; they are of no document themselves, as they
 * outlive both. Whoever holds the log holds all of them. Rules [M1] [M4] [R2].
 */
import {
  assert,
  decodeDocumentId,
  DecodeError,
  encodeDocumentId,
  limits,
  nodeOfOrigin,
  partsOfDocumentId,
} from "../base/index.ts"
import type { DocumentId, Millis, OriginId, Reader, Writer } from "../base/index.ts"
import { decodeOrigin } from "../clock/index.ts"

export type CutFields = {
  readonly kind: "cut"
  readonly atMs: Millis
  readonly origin: OriginId
  readonly keepSeq: number
}

export type MemberFields = {
  readonly kind: "member"
  readonly atMs: Millis
  /** Where peers dial the node whose entry this is; empty if it told none. */
  readonly address: string
}

export type RetireFields = {
  readonly kind: "retire"
  readonly atMs: Millis
  /** At least one, all of the same node, in order. */
  readonly origins: readonly OriginId[]
}

export type DeleteFields = {
  readonly kind: "delete"
  readonly atMs: Millis
  /** This generation of its name, and all before it. */
  readonly document: DocumentId
}

export type CreateFields = {
  readonly kind: "create"
  readonly atMs: Millis
  /** Of the second generation or a later one. */
  readonly document: DocumentId
}

export type ClusterFields = CutFields | MemberFields | RetireFields | DeleteFields | CreateFields

export function encodeClusterFields(writer: Writer, fields: ClusterFields): void {
  writer.varUint(Math.max(0, Math.floor(fields.atMs)))
  switch (fields.kind) {
    case "cut":
      writer.string(fields.origin).varUint(fields.keepSeq)
      return
    case "member":
      writer.string(fields.address)
      return
    case "retire": {
      const sorted = [...fields.origins].sort((left, right) => (left < right ? -1 : 1))
      assert(sorted.length > 0, "a retire record names an origin")
      writer.varUint(sorted.length)
      for (const origin of sorted) writer.string(origin)
      return
    }
    case "delete":
    case "create":
      encodeDocumentId(writer, fields.document)
  }
}

/** @throws DecodeError */
export function decodeClusterFields(reader: Reader, kind: ClusterFields["kind"]): ClusterFields {
  const atMs = reader.varUint()
  switch (kind) {
    case "cut": {
      const origin = decodeOrigin(reader)
      return { kind, atMs, origin, keepSeq: reader.varUint() }
    }
    case "member":
      return { kind, atMs, address: reader.string(limits.addressBytesMax) }
    case "retire":
      return { kind, atMs, origins: decodeOriginsOfNode(reader) }
    case "delete":
      return { kind, atMs, document: decodeDocumentId(reader) }
    case "create":
      return { kind, atMs, document: decodeLaterDocument(reader) }
  }
}

function decodeLaterDocument(reader: Reader): DocumentId {
  const document = decodeDocumentId(reader)
  if (partsOfDocumentId(document).generation > 1) return document
  throw new DecodeError("bad-value", reader.offset, "the first generation needs no record")
}

function decodeOriginsOfNode(reader: Reader): OriginId[] {
  const count = reader.count(limits.originsMax)
  if (count === 0) throw new DecodeError("bad-value", reader.offset, "no origin")
  const origins: OriginId[] = []
  for (let index = 0; index < count; index++) {
    const origin = decodeOrigin(reader)
    const previous = origins.at(-1)
    const isNext = previous === undefined || previous < origin
    const isSameNode = previous === undefined || nodeOfOrigin(previous) === nodeOfOrigin(origin)
    if (!isNext || !isSameNode) throw new DecodeError("bad-value", reader.offset, "origins")
    origins.push(origin)
  }
  return origins
}
