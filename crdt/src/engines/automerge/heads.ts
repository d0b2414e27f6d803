/** Automerge heads as a summary: varUint count, then 32 bytes each, ascending, none twice. */
import { bytesCompare, bytesFromHex, bytesToHex } from "../../base/bytes.ts"
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { Writer } from "../../base/writer.ts"
import { assert } from "../../base/assert.ts"
import { EngineError } from "../engine.ts"

const hashBytes = 32

/** Hashes in hex. @throws EngineError `invalid-summary`. */
export function readHeads(summary: Uint8Array): readonly string[] {
  const heads: string[] = []
  try {
    const reader = new Reader(summary)
    const count = reader.varUint()
    let before: Uint8Array | undefined
    for (let index = 0; index < count; index++) {
      const hash = reader.raw(hashBytes)
      if (before !== undefined && bytesCompare(before, hash) >= 0) {
        throw new DecodeError("bad-value", reader.offset, "heads out of order")
      }
      before = hash
      heads.push(bytesToHex(hash))
    }
    reader.end()
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new EngineError("invalid-summary", error.message, { cause: error })
  }
  return heads
}

export function writeHeads(heads: Iterable<string>): Uint8Array {
  const sorted = [...heads].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const writer = new Writer(4 + sorted.length * hashBytes)
  writer.varUint(sorted.length)
  for (const head of sorted) {
    const bytes = bytesFromHex(head)
    assert(bytes?.length === hashBytes, "a head is 32 bytes in hex")
    writer.raw(bytes)
  }
  return writer.finish()
}
