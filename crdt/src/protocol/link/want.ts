/** Asks for an origin's entries from `fromSeq` on, as far as the peer holds them. Rule [L5]. */
import { DecodeError, Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { linkTags } from "../tags.ts"

export type LinkWant = {
  readonly type: "want"
  readonly origin: OriginId
  readonly fromSeq: number
}

export function encodeLinkWant(message: LinkWant): Uint8Array {
  return new Writer().u8(linkTags.want).string(message.origin).varUint(message.fromSeq).finish()
}

export function decodeLinkWant(reader: Reader): LinkWant {
  const origin = decodeOrigin(reader)
  const fromSeq = reader.varUint()
  if (fromSeq < 1) throw new DecodeError("bad-value", reader.offset, "fromSeq")
  return { type: "want", origin, fromSeq }
}
