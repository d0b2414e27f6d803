/**
 * Node → client, from version 4 on, behind a `pong`: everything up to this vector was sent of all
 * that is live on this connection, and of what is watched on it nothing is news. Rule [N20].
 */
import { Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

export type CaughtUp = { readonly type: "caught-up"; readonly vector: VersionVector }

export function encodeCaughtUp({ vector }: CaughtUp): Uint8Array {
  const writer = new Writer().u8(nativeTags.caughtUp)
  vector.encode(writer)
  return writer.finish()
}

export function decodeCaughtUp(reader: Reader): CaughtUp {
  return { type: "caught-up", vector: VersionVector.decode(reader) }
}
