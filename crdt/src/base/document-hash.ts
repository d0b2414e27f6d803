/**
 * A few bits that stand for a document's name, whatever its generation, where a thousand names
 * would take too much room (rule [N21]). Two names may share them, so they may never stand for
 * more than a reason to look. FNV-1a (Fowler, Noll, Vo 1991), folded to four bytes of a varUint.
 */
import { partsOfDocumentId } from "./ids.ts"
import type { DocumentId } from "./ids.ts"
import { utf8Encode } from "./utf8.ts"

/** An integer from 0 to 2^28 − 1. O(length of the name). */
export function documentHash(document: DocumentId): number {
  const { engine, name } = partsOfDocumentId(document)
  let hash = 0x811c9dc5
  for (const byte of utf8Encode(`${engine}:${name}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return (hash ^ (hash >>> 28)) & 0xfffffff
}
