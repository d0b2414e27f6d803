/**
 * What a read of a whole document amounts to: parts that an engine merges, and how far they reach.
 */
import { VersionVector } from "../clock/index.ts"
import { bodyOf } from "../log/index.ts"
import type { ReadResult } from "../ports/index.ts"

export type DocumentRead = Extract<ReadResult, { readonly type: "document" }>

export function partsOf({ snapshot, entries }: DocumentRead): Uint8Array[] {
  const bodies = entries.map(({ record }) => bodyOf(record))
  return snapshot === undefined ? bodies : [snapshot.state, ...bodies]
}

/** For each origin the last seq of the document that the read holds. */
export function reachOf({ snapshot, entries }: DocumentRead): VersionVector {
  const reach = snapshot?.folded.clone() ?? new VersionVector()
  for (const { origin, seq } of entries) reach.raise(origin, seq)
  return reach
}
