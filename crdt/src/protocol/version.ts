/**
 * Versions of the two wire protocols we own. History:
 *   native 1: first. link 1: first.
 *   native 2: want-tier, tier-status, logged, generation; generations in open.
 *   native 3: a client that shows presence pings every `presencePingMs`; the bytes are those of 2.
 *   native 4: caught-up, watch, woken.
 *   native 5: token, token-valid.
 *   link 2: proofs between the hellos and the heads, members, truncated, state transfer, digests,
 *     generations of documents.
 * Any change to a message's bytes bumps the version (the lock test in `wire-lock.test.ts` fails
 * until it is) and keeps decoding every version down to `min`. Both sides state a range and
 * speak the highest version they share.
 */
import { DecodeError } from "../base/index.ts"
import type { Reader, Writer } from "../base/index.ts"

export type VersionRange = { readonly min: number; readonly max: number }

export const nativeVersions: VersionRange = { min: 1, max: 5 }
export const linkVersions: VersionRange = { min: 2, max: 2 }

/** The version two ranges agree on, or undefined: then close 4426 or 4510. */
export function agreedVersion(ours: VersionRange, theirs: VersionRange): number | undefined {
  const version = Math.min(ours.max, theirs.max)
  return version >= Math.max(ours.min, theirs.min) ? version : undefined
}

export function encodeVersions(writer: Writer, range: VersionRange): void {
  writer.varUint(range.min).varUint(range.max)
}

export function decodeVersions(reader: Reader): VersionRange {
  const range = { min: reader.varUint(), max: reader.varUint() }
  if (range.min < 1 || range.max < range.min) throw new DecodeError("bad-value", reader.offset)
  return range
}
