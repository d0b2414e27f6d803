/** How logs order documents: that of UTF-8 bytes, whatever sorts them. */
import type { DocumentId } from "../base/index.ts"

/** The order of documents in a log: that of their names' code points, as of their UTF-8 bytes. */
export function compareDocuments(left: DocumentId, right: DocumentId): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
