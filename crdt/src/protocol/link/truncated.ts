/** The answer to a want below the floor: those entries are there no more. Rules [K3] [L11]. */
import { DecodeError, Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import { decodeOrigin } from "../../clock/index.ts"
import { linkTags } from "../tags.ts"

export type LinkTruncated = {
  readonly type: "truncated"
  readonly origin: OriginId
  /** Of the sender's log; what is behind it is there. */
  readonly floorSeq: number
}

export function encodeLinkTruncated(message: LinkTruncated): Uint8Array {
  const writer = new Writer().u8(linkTags.truncated).string(message.origin)
  return writer.varUint(message.floorSeq).finish()
}

export function decodeLinkTruncated(reader: Reader): LinkTruncated {
  const origin = decodeOrigin(reader)
  const floorSeq = reader.varUint()
  if (floorSeq < 1) throw new DecodeError("bad-value", reader.offset, "floor")
  return { type: "truncated", origin, floorSeq }
}
