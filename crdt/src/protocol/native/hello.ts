/** Client → node, first on every connection. Rule [N1]. */
import { decodeClientId, DecodeError, encodeClientId, limits, Writer } from "../../base/index.ts"
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
  const writer = new Writer().u8(nativeTags.hello)
  encodeVersions(writer, message.versions)
  encodeClientId(writer, message.client).varUint(message.firstPending)
  return writer.string(message.token).finish()
}

export function decodeHello(reader: Reader): Hello {
  const versions = decodeVersions(reader)
  const client = decodeClientId(reader)
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
