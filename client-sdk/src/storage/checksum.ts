/**
 * CRC-32C (Castagnoli) of a record: finds what a disk or a torn write did to it, not what somebody
 * did on purpose, who could as well write another. Source: RFC 3720 appendix B.4.
 */
const POLYNOMIAL = 0x82f63b78

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? POLYNOMIAL : 0)
  return value
})

/** Of all parts, one after the other. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const bytes of parts) {
    for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
