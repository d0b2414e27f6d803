/**
 * Node → client, after `want-tier`: how far a tier has come, and whom it waits for. Rule [N17].
 */
import { limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"
import { encodeText } from "../text.ts"
import { ackTiers, decodeAckTier } from "./ack.ts"
import type { AckTier } from "./ack.ts"

/** Members named in one `tier-status`; no more are missed than there are. Past it: close 4400. */
export const tierMembersMax = 1024

/** A member whose disk is not known to hold what is waited for. */
export type MissingMember = {
  /** Its name; the address of one that was never reached. */
  readonly member: string
  readonly linked: boolean
  /** For how long it has been linked, or not reached, when this was said. */
  readonly forMs: number
}

export type TierStatus = {
  readonly type: "tier-status"
  readonly tier: AckTier
  /** Everything up to here that matters is at the tier; 0 if nothing is. */
  readonly seq: number
  /** Empty if nothing is waited for. */
  readonly missing: readonly MissingMember[]
  /**
   * What is not at the tier up to here never will be: nobody has it any more where it was logged,
   * or it stands elsewhere now. 0 if nothing is lost.
   */
  readonly lostTo: number
}

export function encodeTierStatus(message: TierStatus): Uint8Array {
  const writer = new Writer(64).u8(nativeTags.tierStatus).u8(ackTiers[message.tier])
  writer.varUint(message.seq).varUint(message.missing.length)
  for (const { member, linked, forMs } of message.missing) {
    encodeText(writer, member)
      .u8(linked ? 1 : 0)
      .varUint(forMs)
  }
  return writer.varUint(message.lostTo).finish()
}

export function decodeTierStatus(reader: Reader): TierStatus {
  const tier = decodeAckTier(reader)
  const seq = reader.varUint()
  const missing = reader.list(tierMembersMax, () => decodeMissing(reader))
  return { type: "tier-status", tier, seq, missing, lostTo: reader.varUint() }
}

function decodeMissing(reader: Reader): MissingMember {
  const member = reader.string(limits.textBytesMax)
  return { member, linked: reader.flag(), forMs: reader.varUint() }
}
