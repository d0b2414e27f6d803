/**
 * Node → client, after `want-tier`: where updates are logged. What the ack that follows covers
 * stands within these heads; after a welcome, what that said to be logged. The chain's hash tells
 * that log from another one under the same name. Rule [N16].
 */
import { limits, Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import type { Head } from "../../log/index.ts"
import { decodeHeads, encodeHeads } from "../link/heads.ts"
import { nativeTags } from "../tags.ts"

export type Logged = { readonly type: "logged"; readonly heads: ReadonlyMap<OriginId, Head> }

export function encodeLogged(message: Logged): Uint8Array {
  const writer = new Writer(64).u8(nativeTags.logged)
  encodeHeads(writer, message.heads)
  return writer.finish()
}

export function decodeLogged(reader: Reader): Logged {
  return { type: "logged", heads: decodeHeads(reader, limits.originsMax) }
}
