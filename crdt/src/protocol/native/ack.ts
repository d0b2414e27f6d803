/**
 * Node → client: every update up to `seq` is durable at `tier` (or was refused for good). The
 * marks say up to which seq of the node's origin the client's own updates reach, so its resume
 * points advance without an echo. Acks leave after the commit's `updates`. Rule [N6].
 */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

/** Where an update is durable. Numbers on the wire are never reused. */
export const ackTiers = { node: 1, quorum: 2, all: 3 } as const
export type AckTier = keyof typeof ackTiers

export type AckMark = { readonly channel: number; readonly seq: number }

export type Ack = {
  readonly type: "ack"
  readonly tier: AckTier
  readonly seq: number
  readonly marks: readonly AckMark[]
}

export function encodeAck(message: Ack): Uint8Array {
  const writer = new Writer(32).u8(nativeTags.ack).u8(ackTiers[message.tier])
  writer.varUint(message.seq).varUint(message.marks.length)
  for (const mark of message.marks) writer.varUint(mark.channel).varUint(mark.seq)
  return writer.finish()
}

export function decodeAck(reader: Reader): Ack {
  const tierNumber = reader.u8()
  const tier = ackTierOf(tierNumber)
  if (tier === undefined) throw new DecodeError("bad-value", reader.offset, "tier")
  const seq = reader.varUint()
  const count = reader.count(limits.channelsPerConnectionMax)
  const marks: AckMark[] = []
  for (let index = 0; index < count; index++) {
    marks.push({ channel: reader.varUint(), seq: reader.varUint() })
  }
  return { type: "ack", tier, seq, marks }
}

export function ackTierOf(number: number): AckTier | undefined {
  if (number === ackTiers.node) return "node"
  if (number === ackTiers.quorum) return "quorum"
  return number === ackTiers.all ? "all" : undefined
}
