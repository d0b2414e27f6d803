/**
 * WebSocket framing (RFC 6455 §5.2) of what a node sends: unmasked binary messages, each a whole
 * frame. Framed once, the same bytes go to every socket.
 */

/** A final binary frame. */
const FINAL_BINARY = 0x82

/** The frames one after the other, ready for a socket. */
export function frameAll(payloads: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const payload of payloads) length += headerBytes(payload.length) + payload.length
  const framed = Buffer.allocUnsafe(length)
  let offset = 0
  for (const payload of payloads) {
    offset = writeHeader(framed, offset, payload.length)
    framed.set(payload, offset)
    offset += payload.length
  }
  return framed
}

function headerBytes(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}

function writeHeader(target: Buffer, offset: number, length: number): number {
  target[offset] = FINAL_BINARY
  if (length < 126) {
    target[offset + 1] = length
    return offset + 2
  }
  if (length < 65_536) {
    target[offset + 1] = 126
    return target.writeUInt16BE(length, offset + 2)
  }
  target[offset + 1] = 127
  target.writeUInt16BE(0, offset + 2)
  return target.writeUIntBE(length, offset + 4, 6)
}
