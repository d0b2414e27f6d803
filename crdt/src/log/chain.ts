/**
 * The hash chain of an origin's log: each entry's hash covers the one before, so two logs that
 * share a head share everything under it, and a fork shows at the first exchange of heads.
 * SHA-256 cut to 128 bits: 2^64 work to collide, which no accident reaches; links are between
 * nodes of one operator (ADR 2).
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { assert, utf8Encode, Writer } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"

export const HASH_BYTES = 16
const SEQ_BYTES_MAX = 8

/** The hash before the first entry. */
export const genesisHash: Uint8Array = /* @__PURE__ */ new Uint8Array(HASH_BYTES)

/** How far an origin's log is held, and the chain's hash there. */
export type Head = { readonly seq: number; readonly hash: Uint8Array }
export const emptyHead: Head = { seq: 0, hash: genesisHash }

/** SHA-256, 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** The hash of entry (origin, seq), whose predecessor has `previous`. O(record). */
export function chainHash(
  previous: Uint8Array,
  origin: OriginId,
  seq: number,
  record: Uint8Array,
  hash: Sha256 = sha256,
): Uint8Array {
  assert(previous.length === HASH_BYTES, "hash length")
  const writer = new Writer(HASH_BYTES + origin.length + SEQ_BYTES_MAX + record.length)
  const covered = writer.raw(previous).raw(utf8Encode(origin)).varUint(seq).raw(record).finish()
  return hash(covered).slice(0, HASH_BYTES)
}

/** The head after `records`, which follow `head` without a gap. */
export function chainRecords(
  head: Head,
  origin: OriginId,
  records: readonly Uint8Array[],
  sha?: Sha256,
): Head {
  let { seq, hash } = head
  for (const record of records) {
    seq += 1
    hash = chainHash(hash, origin, seq, record, sha)
  }
  assert(seq <= Number.MAX_SAFE_INTEGER, "seq overflow")
  return { seq, hash }
}
