/** Small things done to byte arrays. */

/** Lexicographic order, a stable order for anything keyed by bytes. */
export function bytesCompare(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && bytesCompare(left, right) === 0
}

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
)

export function bytesToHex(bytes: Uint8Array): string {
  let hex = ""
  for (const byte of bytes) hex += hexOfByte[byte]
  return hex
}

/** `hex` must have an even length and lower-case digits only; anything else gives undefined. */
export function bytesFromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(hex.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    const high = hexDigit(hex.charCodeAt(index * 2))
    const low = hexDigit(hex.charCodeAt(index * 2 + 1))
    if (high < 0 || low < 0) return undefined
    bytes[index] = high * 16 + low
  }
  return bytes
}

/** −1 for anything but `0–9` and `a–f`. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}
