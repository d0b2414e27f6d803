/** The changes inside an Automerge update. */
import { Reader } from "@causeway/crdt/base"

/** Magic number and checksum before a chunk's type. */
const BEFORE_TYPE = 8

/** One after another, as views. Documents stay whole. @throws DecodeError */
export function changesOf(update: Uint8Array): Uint8Array[] {
  const changes: Uint8Array[] = []
  const reader = new Reader(update)
  while (reader.remaining > 0) {
    const start = reader.offset
    reader.raw(BEFORE_TYPE + 1)
    reader.raw(reader.varUint())
    changes.push(update.subarray(start, reader.offset))
  }
  return changes
}
