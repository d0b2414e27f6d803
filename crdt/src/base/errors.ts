/**
 * The one error type for bytes from outside. Thrown inside codecs only, caught in one place of
 * each core, where it becomes a typed rejection or a close code and a counter.
 */
export const decodeErrorCodes = [
  "truncated",
  "varint-too-long",
  "length-over-limit",
  "not-utf8",
  "trailing-bytes",
  "unknown-message",
  "unknown-engine",
  "bad-value",
  "no-common-version",
] as const

export type DecodeErrorCode = (typeof decodeErrorCodes)[number]

export class DecodeError extends Error {
  override readonly name = "DecodeError"
  readonly code: DecodeErrorCode
  /** Byte offset in the frame at which decoding stopped. */
  readonly offset: number

  constructor(code: DecodeErrorCode, offset: number, detail = "") {
    super(`${code} at byte ${offset}${detail === "" ? "" : `: ${detail}`}`)
    this.code = code
    this.offset = offset
  }
}
