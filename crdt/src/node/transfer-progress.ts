/**
 * How far a state transfer is, as the store keeps it: where the next page starts, and what all
 * pages so far stand for. A page stands for what its sender held before it read it, so all of them
 * stand for the least of those, whoever was asked for each. Rule [K8].
 */
import { bytesEqual, DecodeError, Reader, Writer } from "../base/index.ts"
import type { OriginId } from "../base/index.ts"
import type { Head } from "../log/index.ts"
import { decodeHeads, decodePlace, encodeHeads, encodePlace } from "../protocol/index.ts"
import type { TransferPlace } from "../protocol/index.ts"

export type TransferProgress = {
  readonly place: TransferPlace
  /** Undefined before the first page's end. */
  readonly heads: ReadonlyMap<OriginId, Head> | undefined
}

export const transferStart: TransferProgress = {
  place: { phase: "documents", after: undefined },
  heads: undefined,
}

/** What both stand for: the lower head of each origin; none where their logs differ. */
export function leastHeads(
  one: ReadonlyMap<OriginId, Head> | undefined,
  other: ReadonlyMap<OriginId, Head>,
): Map<OriginId, Head> {
  if (one === undefined) return new Map(other)
  const least = new Map<OriginId, Head>()
  for (const [origin, head] of one) {
    const theirs = other.get(origin)
    if (theirs === undefined) continue
    if (theirs.seq === head.seq && !bytesEqual(theirs.hash, head.hash)) continue
    least.set(origin, theirs.seq < head.seq ? theirs : head)
  }
  return least
}

export function encodeProgress({ place, heads }: TransferProgress): Uint8Array {
  const writer = new Writer()
  encodePlace(writer, place)
  writer.u8(heads === undefined ? 0 : 1)
  if (heads !== undefined) encodeHeads(writer, heads)
  return writer.finish()
}

/** Undefined if these bytes are none: then a transfer begins from its start. */
export function decodeProgress(bytes: Uint8Array): TransferProgress | undefined {
  try {
    const reader = new Reader(bytes)
    const place = decodePlace(reader)
    if (place === undefined) return undefined
    return { place, heads: reader.u8() === 1 ? decodeHeads(reader) : undefined }
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
