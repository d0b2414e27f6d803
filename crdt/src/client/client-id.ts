/** A fresh identity for an outbox: 128 random bits, drawn one byte at a time. */
import { assert, bytesToHex, parseClientId } from "../base/index.ts"
import type { ClientId } from "../base/index.ts"
import type { Random } from "../ports/index.ts"

export function randomClientId(random: Random): ClientId {
  const bytes = new Uint8Array(16).map(() => Math.floor(random.next() * 256))
  const client = parseClientId(bytesToHex(bytes))
  assert(client !== undefined, "a client id is 16 bytes")
  return client
}
