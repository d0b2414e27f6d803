/**
 * Node → client: every update up to `seq` is durable at `tier` (or was refused for good). The
 * marks say up to which seq of the node's origin the client's own updates reach, so its resume
 * points advance without an echo. Acks leave after the commit's `updates`. Rule [N6].
 */
import { limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { decodeNumbered } from "../numbered.ts"
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
  const tier = decodeAckTier(reader)
  const seq = reader.varUint()
  const marks = reader.list(limits.channelsPerConnectionMax, () => {
    return { channel: reader.varUint(), seq: reader.varUint() }
  })
  return { type: "ack", tier, seq, marks }
}

/** @throws DecodeError */
export function decodeAckTier(reader: Reader): AckTier {
  return decodeNumbered(reader, ackTiers, (number) => number)
}
