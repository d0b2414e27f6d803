/**
 * Automerge's outer format: chunks one after another, each `85 6f 4a 83`, 4 bytes of checksum, a
 * type, a length (uLEB128) and as many bytes. A chunk's hash is the SHA-256 from the type byte on;
 * its first 4 bytes are the checksum. A deflated change is named as if it were not deflated, and
 * is unfolded here, so that one change is always the same bytes. Bundles (type 3) are refused:
 * neither sync protocol sends them, and Automerge 3.5 checks little of what is inside them.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesEqual, bytesToHex } from "../../base/bytes.ts"
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { Writer } from "../../base/writer.ts"
import { EngineError } from "../engine.ts"
import { inflateRaw } from "./inflate.ts"
import { inflatedBytesMax } from "./limits.ts"

const chunkType = { document: 0, change: 1, deflated: 2 } as const

export type Chunk = {
  /** False for a document, which holds any number of changes. */
  readonly single: boolean
  /** The whole chunk; a view, unless it was deflated. */
  readonly bytes: Uint8Array
  readonly body: Uint8Array
  /** In hex; of a change, its name. */
  readonly hash: string
}

const magic = Uint8Array.of(0x85, 0x6f, 0x4a, 0x83)
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

/** Splits to the last byte and checks every sum. O(bytes). @throws EngineError `invalid-update`. */
export function splitChunks(update: Uint8Array): readonly Chunk[] {
  return decoding(() => {
    const chunks: Chunk[] = []
    const reader = new Reader(update)
    while (reader.remaining > 0) chunks.push(readChunk(reader, update))
    return chunks
  })
}

function readChunk(reader: Reader, update: Uint8Array): Chunk {
  const start = reader.offset
  if (!bytesEqual(reader.raw(magic.length), magic)) {
    throw new DecodeError("bad-value", start, "no Automerge chunk")
  }
  const checksum = reader.raw(checksumBytes)
  const type = reader.u8()
  const body = reader.raw(reader.varUint())
  const bytes = update.subarray(start, reader.offset)
  const chunk = type === chunkType.deflated ? unfold(checksum, body) : sealed(type, bytes, body)
  if (type > chunkType.deflated) throw new DecodeError("bad-value", start, "unknown chunk")
  if (!chunk.hash.startsWith(bytesToHex(checksum))) {
    throw new DecodeError("bad-value", start, "wrong checksum")
  }
  return chunk
}

function sealed(type: number, bytes: Uint8Array, body: Uint8Array): Chunk {
  const hash = bytesToHex(sha256(bytes.subarray(typeOffset)))
  return { single: type === chunkType.change, bytes, body, hash }
}

function unfold(checksum: Uint8Array, deflated: Uint8Array): Chunk {
  const body = inflateRaw(deflated, inflatedBytesMax)
  const writer = new Writer(typeOffset + 10 + body.length)
  const bytes = writer.raw(magic).raw(checksum).u8(chunkType.change).bytes(body).finish()
  return sealed(chunkType.change, bytes, body)
}
