/**
 * CRC-32C (Castagnoli) of a record: finds what a disk or a torn write did to it, not what somebody
 * did on purpose, who could as well write another. Source: RFC 3720 appendix B.4.
 */
const POLYNOMIAL = 0x82f63b78

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
  return value
})

/** Of all parts, one after the other. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  return ~parts.reduce(continued, -1) >>> 0
}

function continued(crc: number, bytes: Uint8Array): number {
  // V8 takes 20 ns a byte to iterate over a typed array, and 1 ns by index.
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  }
  return crc
}
