/**
 * Whether bytes are strict UTF-8, without making a string of them: presence states are relayed as
 * bytes, and one frame may hold megabytes of them. Accepts what `utf8Decode` does. RFC 3629 §4.
 */

/** O(length), allocates nothing. */
export function isUtf8(bytes: Uint8Array): boolean {
  let index = 0
  while (index < bytes.length) {
    const lead = bytes[index] ?? 0
    index += 1
    if (lead < 0x80) continue
    if (!isStart(lead, bytes[index] ?? 0)) return false
    const end = index + (lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1)
    for (index += 1; index < end; index++) {
      if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return false
    }
  }
  return true
}

/** The second byte shuts out overlong forms, surrogates and what is past U+10FFFF. */
function isStart(lead: number, second: number): boolean {
  if (lead < 0xc2 || lead > 0xf4) return false
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  return second >= least && second <= most
}
