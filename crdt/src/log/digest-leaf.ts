/**
 * What a node says of one document when nodes compare: a digest of how far its log reaches and one
 * of its content. Equal ones on both sides prove nothing bad; the same vector with different
 * content is a divergence. Stores keep leaves and sum their hashes by bucket. Rules [G1] [G2].
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { assert, bytesEqual, utf8Encode, Writer } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"

export const DIGEST_BYTES = 16
/** Documents fall into so many buckets, by the hash of their name. */
export const bucketCount = 2 ** 16

/** Two nodes that hold the same entries of a document say the same. */
export type DigestLeaf = {
  readonly document: DocumentId
  /** Of the last seq per origin that the content holds (`vectorDigest`). */
  readonly vector: Uint8Array
  /** Of what everybody is shown (`digestBytes` of the engine's digest). */
  readonly content: Uint8Array
}

export function digestBytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).slice(0, DIGEST_BYTES)
}

/** Independent of the order in which origins became known. */
export function vectorDigest(vector: VersionVector): Uint8Array {
  const writer = new Writer()
  vector.encode(writer)
  return digestBytes(writer.finish())
}

export function bucketOf(document: DocumentId): number {
  const hash = sha256(utf8Encode(document))
  return (hash[0] ?? 0) * 256 + (hash[1] ?? 0)
}

const nothing = new Uint8Array(DIGEST_BYTES)

/** Of a document that is deleted: as if there were none, whatever is held of it. Rule [R9]. */
export function deletedLeaf(document: DocumentId): DigestLeaf {
  return { document, vector: nothing, content: nothing }
}

export function isDeletedLeaf({ vector, content }: DigestLeaf): boolean {
  return bytesEqual(vector, nothing) && bytesEqual(content, nothing)
}

/** What a leaf adds to its bucket's sum. */
export function hashOfLeaf(leaf: DigestLeaf): Uint8Array {
  const { document, vector, content } = leaf
  assert(vector.length === DIGEST_BYTES && content.length === DIGEST_BYTES, "digest length")
  if (isDeletedLeaf(leaf)) return nothing.slice()
  return digestBytes(new Writer().raw(vector).raw(content).string(document).finish())
}
