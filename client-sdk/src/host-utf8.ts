/**
 * UTF-8 by the host's own encoder, in place of `crdt/src/base/utf8.ts` in what apps are given: that
 * is for cores without a host, and takes six times the room. The same but for offsets, which say
 * where the text begins.
 */
import { DecodeError } from "@causeway/crdt/base"

const encoder = /* @__PURE__ */ new TextEncoder()
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A lone surrogate becomes U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text)
}

/** @throws DecodeError `not-utf8` */
export function utf8Decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new DecodeError("not-utf8", 0)
  }
}

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}
