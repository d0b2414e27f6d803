/** Trying a decoder on a frame, and putting frames together by hand. */
import { assert, bytesFromHex, DecodeError, Writer } from "../../base/index.ts"

export type Decode = (frame: Uint8Array) => object

/** What a decoder makes of a frame. Anything thrown but a DecodeError passes through. */
export function attempt(
  decode: Decode,
  frame: Uint8Array,
): { readonly message: object } | { readonly error: DecodeError } {
  try {
    return { message: decode(frame) }
  } catch (error) {
    if (error instanceof DecodeError) return { error }
    throw error
  }
}

/** The code of the error that a frame leads to, or "taken". */
export function codeOf(decode: Decode, frame: Uint8Array): string {
  const result = attempt(decode, frame)
  return "error" in result ? result.error.code : "taken"
}

/** A frame's tag and its first fields, all varUints. */
export function start(tag: number, ...fields: number[]): Writer {
  const writer = new Writer().u8(tag)
  for (const field of fields) writer.varUint(field)
  return writer
}

export function hex(text: string): Uint8Array {
  const bytes = bytesFromHex(text)
  assert(bytes !== undefined, () => `not hex: ${text}`)
  return bytes
}
