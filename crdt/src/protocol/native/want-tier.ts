/**
 * Client → node, from version 2 on: from now on tell me where my updates are logged, and which of
 * them are durable at `tier` too. Rule [N15]. Marks say where nodes logged what they acked before,
 * on this connection and earlier ones.
 */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { OriginId, Reader } from "../../base/index.ts"
import type { Head } from "../../log/index.ts"
import { decodeHeads, encodeHeads } from "../link/heads.ts"
import { nativeTags } from "../tags.ts"
import { ackTiers, decodeAckTier } from "./ack.ts"
import type { AckTier } from "./ack.ts"

/** Marks in one `want-tier`. Past it: close 4400; a client gives up on what is oldest. */
export const tierMarksMax = 32

/** The client's numbers after the mark before, up to `toSeq`, stand within these heads. */
export type TierMark = { readonly toSeq: number; readonly heads: ReadonlyMap<OriginId, Head> }

export type WantTier = {
  readonly type: "want-tier"
  /** `node` asks for `logged` alone. */
  readonly tier: AckTier
  /** Numbers below are no matter. */
  readonly fromSeq: number
  /** In order of `toSeq`; with `originsMax` heads in all. */
  readonly marks: readonly TierMark[]
}

export function encodeWantTier(message: WantTier): Uint8Array {
  const writer = new Writer(64).u8(nativeTags.wantTier).u8(ackTiers[message.tier])
  writer.varUint(message.fromSeq).varUint(message.marks.length)
  for (const { toSeq, heads } of message.marks) encodeHeads(writer.varUint(toSeq), heads)
  return writer.finish()
}

export function decodeWantTier(reader: Reader): WantTier {
  const tier = decodeAckTier(reader)
  const fromSeq = reader.varUint()
  const count = reader.count(tierMarksMax)
  const marks: TierMark[] = []
  let left = limits.originsMax
  let previous = -1
  for (let index = 0; index < count; index++) {
    const toSeq = reader.varUint()
    if (toSeq <= previous) throw new DecodeError("bad-value", reader.offset, "mark order")
    previous = toSeq
    const heads = decodeHeads(reader, left)
    left -= heads.size
    marks.push({ toSeq, heads })
  }
  return { type: "want-tier", tier, fromSeq, marks }
}
