/**
 * Automerge's outer format: chunks one after another, each `85 6f 4a 83`, 4 bytes of checksum, a
 * type, a length (uLEB128) and as many bytes. A chunk's hash is the SHA-256 from the type byte on;
 * its first 4 bytes are the checksum. A deflated change is hashed as if it were not deflated.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "../../base/bytes.ts"
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { EngineError } from "../engine.ts"

export const chunkType = { document: 0, change: 1, deflated: 2, bundle: 3 } as const

export type Chunk = {
  readonly type: number
  /** The whole chunk, as a view. */
  readonly bytes: Uint8Array
  /** Of a change: what its checksum must start with, in hex. */
  readonly checksum: string
  /** Hash in hex; of a deflated change, unknown before it is inflated. */
  readonly hash: string | undefined
  /** Where the body starts in `bytes`. */
  readonly bodyOffset: number
}

const magic = [0x85, 0x6f, 0x4a, 0x83]
const checksumBytes = 4
const typeOffset = magic.length + checksumBytes

/** Runs a decoder of ours. @throws EngineError `invalid-update` for its DecodeError. */
export function decoding<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new EngineError("invalid-update", error.message, { cause: error })
  }
}

/** Splits to the last byte and checks every sum that can be checked. O(bytes). */
export function splitChunks(update: Uint8Array): readonly Chunk[] {
  return decoding(() => {
    const chunks: Chunk[] = []
    const reader = new Reader(update)
    while (reader.remaining > 0) {
      const start = reader.offset
      for (const byte of magic) {
        if (reader.u8() !== byte) throw new DecodeError("bad-value", start, "no Automerge chunk")
      }
      const checksum = bytesToHex(reader.raw(checksumBytes))
      const type = reader.u8()
      if (type > chunkType.bundle) throw new DecodeError("bad-value", start, "unknown chunk")
      const length = reader.varUint()
      const bodyOffset = reader.offset - start
      reader.raw(length)
      const bytes = update.subarray(start, reader.offset)
      const hash = type === chunkType.deflated ? undefined : hashOf(bytes)
      if (hash !== undefined && !hash.startsWith(checksum)) {
        throw new DecodeError("bad-value", start, "wrong checksum")
      }
      chunks.push({ type, bytes, checksum, hash, bodyOffset })
    }
    return chunks
  })
}

function hashOf(chunk: Uint8Array): string {
  return bytesToHex(sha256(chunk.subarray(typeOffset)))
}
