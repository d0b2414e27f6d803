/**
 * Writing of lib0's variable-length integers and byte strings, enough for the few frames a client
 * of the stock protocols sends. Reading is in `update-scanner.ts` and `frame-scanner.ts`, which
 * must not allocate.
 */

/** `value` as 7-bit groups, low group first; for integers from 0 to 2^53. */
function varUint(value: number): number[] {
  const groups: number[] = []
  let rest = value
  while (rest > 127) {
    groups.push(128 | (rest % 128))
    rest = Math.floor(rest / 128)
  }
  groups.push(rest)
  return groups
}

/** `bytes` behind their length. */
export function varBytes(bytes: Uint8Array): number[] {
  return [...varUint(bytes.length), ...bytes]
}

/** `text` in UTF-8 behind its length in bytes. */
export function varString(text: string): number[] {
  return varBytes(new TextEncoder().encode(text))
}
