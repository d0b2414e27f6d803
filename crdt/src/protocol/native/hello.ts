/** Client → node, first on every connection. Rule [N1]. */
import { assert, bytesFromHex, bytesToHex, DecodeError, limits } from "../../base/index.ts"
import { parseClientId, Writer } from "../../base/index.ts"
import type { ClientId, Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"
import { decodeVersions, encodeVersions } from "../version.ts"
import type { VersionRange } from "../version.ts"

export type Hello = {
  readonly type: "hello"
  readonly versions: VersionRange
  /** Random per outbox; how a node recognises an update that it has logged already. */
  readonly client: ClientId
  /** The lowest update number that is not acked yet (the next one if the outbox is empty). */
  readonly firstPending: number
  /** Empty without authentication. */
  readonly token: string
}

export function encodeHello(message: Hello): Uint8Array {
  const client = bytesFromHex(message.client)
  // A stand-in would be an id that clients share, and their updates would count as repeats.
  assert(client?.length === 16, "client id")
  const writer = new Writer().u8(nativeTags.hello)
  encodeVersions(writer, message.versions)
  return writer.raw(client).varUint(message.firstPending).string(message.token).finish()
}

export function decodeHello(reader: Reader): Hello {
  const versions = decodeVersions(reader)
  const client = parseClientId(bytesToHex(reader.raw(16)))
  if (client === undefined) throw new DecodeError("bad-value", reader.offset, "client")
  const firstPending = reader.varUint()
  if (firstPending < 1) throw new DecodeError("bad-value", reader.offset, "firstPending")
  return {
    type: "hello",
    versions,
    client,
    firstPending,
    token: reader.string(limits.textBytesMax),
  }
}
