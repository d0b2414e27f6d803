/**
 * Sentences on the wire. They are for people and may quote what a client sent, so the encoder cuts
 * them to `textBytesMax` at a character: an explanation that is too long must not turn into a frame
 * that its reader refuses. Rule [F3].
 */
import { limits, utf8Encode } from "../base/index.ts"
import type { Writer } from "../base/index.ts"

/** Writes `text` as a string of at most `textBytesMax` bytes. O(length). */
export function encodeText(writer: Writer, text: string): Writer {
  const bytes = utf8Encode(text)
  let end = Math.min(bytes.length, limits.textBytesMax)
  while (end < bytes.length && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return writer.bytes(bytes.subarray(0, end))
}
