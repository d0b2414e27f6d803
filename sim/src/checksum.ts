/**
 * A checksum over all bytes of frames and updates, which may have megabytes: only to tell them
 * apart, never to trust them. MurmurHash3, x86, 32 bits (Appleby, public domain), four bytes a
 * step.
 */

const FIRST = 0xcc9e2d51
const SECOND = 0x1b873593

/** Below 2^32; the same for equal bytes wherever they lie. O(bytes). */
export function checksum(bytes: Uint8Array): number {
  const { length } = bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  const wholeBytes = length & ~3
  let hash = 0
  for (let at = 0; at < wholeBytes; at += 4) {
    hash ^= scrambled(view.getInt32(at, true))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let at = length - 1; at >= wholeBytes; at--) rest = (rest << 8) | view.getUint8(at)
  hash ^= scrambled(rest) ^ length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function scrambled(word: number): number {
  const mixed = Math.imul(word, FIRST)
  return Math.imul((mixed << 15) | (mixed >>> 17), SECOND)
}
