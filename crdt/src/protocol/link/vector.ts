/** What the sender durably holds, only what changed since its last one on this link. Rule [L4]. */
import { Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import type { Head } from "../../log/index.ts"
import { linkTags } from "../tags.ts"
import { decodeHeads, encodeHeads } from "./heads.ts"

export type LinkVector = {
  readonly type: "vector"
  readonly heads: ReadonlyMap<OriginId, Head>
}

export function encodeLinkVector(message: LinkVector): Uint8Array {
  const writer = new Writer(128).u8(linkTags.vector)
  encodeHeads(writer, message.heads)
  return writer.finish()
}

export function decodeLinkVector(reader: Reader): LinkVector {
  return { type: "vector", heads: decodeHeads(reader) }
}
