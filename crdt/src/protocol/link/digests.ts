/**
 * Nodes compare what their documents amount to: a root first, then, only where they differ, the
 * sums below it, and the leaves of a bucket in the end. Rule [G4].
 */
import {
  decodeDocumentId,
  DecodeError,
  encodeDocumentId,
  limits,
  Writer,
} from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { bucketCount, DIGEST_BYTES } from "../../log/index.ts"
import type { DigestLeaf } from "../../log/index.ts"
import { linkTags } from "../tags.ts"

/** Of a sum that only says where to look further. */
export const SHORT_SUM_BYTES = 8
const sumsPerMessage = 16
const levelMax = 3

export type DigestPart =
  | { readonly part: "root"; readonly sum: Uint8Array }
  /** The sender's sums of the children of a place in its tree. */
  | {
      readonly part: "sums"
      readonly level: number
      readonly index: number
      readonly sums: readonly Uint8Array[]
    }
  /** The sender's leaves of a bucket; an answer asks for none in return. */
  | {
      readonly part: "leaves"
      readonly bucket: number
      readonly isAnswer: boolean
      readonly leaves: readonly DigestLeaf[]
    }

export type LinkDigests = { readonly type: "digests" } & DigestPart

const partTags = { root: 0, sums: 1, leaves: 2 } as const

export function encodeLinkDigests(message: LinkDigests): Uint8Array {
  const writer = new Writer(160).u8(linkTags.digests).u8(partTags[message.part])
  switch (message.part) {
    case "root":
      return writer.raw(message.sum).finish()
    case "sums":
      writer.u8(message.level).varUint(message.index)
      for (const sum of message.sums) writer.raw(sum)
      return writer.finish()
    case "leaves":
      writer
        .varUint(message.bucket)
        .u8(message.isAnswer ? 1 : 0)
        .varUint(message.leaves.length)
      for (const { document, vector, content } of message.leaves) {
        encodeDocumentId(writer, document).raw(vector).raw(content)
      }
      return writer.finish()
  }
}

/** Arrays are copies. */
export function decodeLinkDigests(reader: Reader): LinkDigests {
  switch (reader.u8()) {
    case partTags.root:
      return { type: "digests", part: "root", sum: reader.raw(DIGEST_BYTES).slice() }
    case partTags.sums:
      return decodeSums(reader)
    case partTags.leaves:
      return decodeLeaves(reader)
    default:
      throw new DecodeError("bad-value", reader.offset, "part")
  }
}

function decodeSums(reader: Reader): LinkDigests {
  const level = reader.u8()
  const index = reader.varUint()
  if (level > levelMax || index >= sumsPerMessage ** level) {
    throw new DecodeError("bad-value", reader.offset, "place")
  }
  const sums = Array.from({ length: sumsPerMessage }, () => reader.raw(SHORT_SUM_BYTES).slice())
  return { type: "digests", part: "sums", level, index, sums }
}

function decodeLeaves(reader: Reader): LinkDigests {
  const bucket = reader.varUint()
  if (bucket >= bucketCount) throw new DecodeError("bad-value", reader.offset, "bucket")
  const answer = reader.u8()
  if (answer > 1) throw new DecodeError("bad-value", reader.offset, "answer")
  const count = reader.count(limits.digestLeavesMax)
  const leaves: DigestLeaf[] = []
  for (let at = 0; at < count; at++) leaves.push(decodeLeaf(reader))
  return { type: "digests", part: "leaves", bucket, isAnswer: answer === 1, leaves }
}

function decodeLeaf(reader: Reader): DigestLeaf {
  const document = decodeDocumentId(reader)
  const vector = reader.raw(DIGEST_BYTES).slice()
  return { document, vector, content: reader.raw(DIGEST_BYTES).slice() }
}
