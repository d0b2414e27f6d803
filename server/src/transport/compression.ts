/**
 * zstd on links, where both ends have it: agreed as a WebSocket subprotocol, so a peer without it
 * is sent plain frames. Each message then begins with a byte that says how the rest is
 * packed. Messages are packed one by one, so the same bytes go to every peer. Rule [L10].
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { limits } from "@causeway/crdt/base"

/** What a dialler offers, the best first; the other end repeats the best that it has. */
export const linkProtocols = ["causeway-link.zstd", "causeway-link"] as const
export const zstdProtocol = linkProtocols[0]

/** First byte of a packed message. Numbers are never reused. */
const packings = { plain: 0, zstd: 1 } as const

/** Below it packing costs more than it saves. */
const packedBytesMin = 1024
/** The fastest level: records are short, and a commit waits for it. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** O(frame); what would not get smaller goes as it is. */
export function pack(frame: Uint8Array): Uint8Array {
  if (frame.length >= packedBytesMin) {
    const packed = zstdCompressSync(frame, options)
    if (packed.length < frame.length) return withFirstByte(packings.zstd, packed)
  }
  return withFirstByte(packings.plain, frame)
}

function withFirstByte(byte: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + rest.length)
  bytes[0] = byte
  bytes.set(rest, 1)
  return bytes
}

/** The frame, or what is wrong with it: it may be no packed message, or too large unpacked. */
export function unpack(message: Uint8Array): Uint8Array | "malformed" | "too-large" {
  const rest = message.subarray(1)
  if (message[0] === packings.plain) return rest
  if (message[0] !== packings.zstd) return "malformed"
  try {
    return zstdDecompressSync(rest, { maxOutputLength: limits.frameBytesMax })
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    return code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "malformed"
  }
}
