/** A run of one origin's entries, oldest first; pushed live or in answer to a want. Rule [L3]. */
import { assert, DecodeError, limits, Reader, Writer } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { HASH_BYTES } from "../../log/index.ts"
import type { LogRun } from "../../log/index.ts"
import { linkTags } from "../tags.ts"

export type LinkEntries = {
  readonly type: "entries"
  readonly run: LogRun
  /** The chain's hash before the run's first entry. */
  readonly previousHash: Uint8Array
}

export function encodeLinkEntries(message: LinkEntries): Uint8Array {
  const { origin, firstSeq, records } = message.run
  assert(message.previousHash.length === HASH_BYTES, "hash length")
  let size = 128
  for (const record of records) size += record.length + 4
  const writer = new Writer(size).u8(linkTags.entries).string(origin).varUint(firstSeq)
  writer.raw(message.previousHash).varUint(records.length)
  for (const record of records) writer.bytes(record)
  return writer.finish()
}

/** Records are views on one copy: they go to the log. */
export function decodeLinkEntries(reader: Reader): LinkEntries {
  const origin = decodeOrigin(reader)
  const firstSeq = reader.varUint()
  const previousHash = reader.raw(HASH_BYTES).slice()
  const count = reader.count(limits.linkFrameEntriesMax)
  const beyond = firstSeq > Number.MAX_SAFE_INTEGER - count
  if (count < 1 || firstSeq < 1 || beyond) throw new DecodeError("bad-value", reader.offset, "run")
  const copy = new Reader(reader.raw(reader.remaining).slice())
  const records: Uint8Array[] = []
  for (let index = 0; index < count; index++) records.push(copy.bytes(limits.frameBytesMax))
  copy.end()
  return { type: "entries", run: { origin, firstSeq, records }, previousHash }
}
