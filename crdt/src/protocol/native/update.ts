/** Client → node: updates of one document, numbered `seq`, `seq + 1` …  Rules [N5]–[N7]. */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type Update = {
  readonly type: "update"
  readonly channel: number
  /** The client's number for the first update; over all its documents, without a gap. */
  readonly seq: number
  readonly updates: readonly Uint8Array[]
}

export function encodeUpdate(message: Update): Uint8Array {
  const writer = new Writer(256).u8(nativeTags.update).varUint(message.channel).varUint(message.seq)
  writer.varUint(message.updates.length)
  for (const update of message.updates) writer.bytes(update)
  return writer.finish()
}

/** The updates are views on the frame; their size is the node's to judge. */
export function decodeUpdate(reader: Reader): Update {
  const channel = reader.varUint()
  const seq = reader.varUint()
  const count = reader.count(limits.updatesPerFrameMax)
  if (count < 1 || seq < 1) throw new DecodeError("bad-value", reader.offset, "update")
  if (seq > Number.MAX_SAFE_INTEGER - count)
    throw new DecodeError("bad-value", reader.offset, "seq")
  const updates: Uint8Array[] = []
  for (let index = 0; index < count; index++) updates.push(reader.bytes(limits.frameBytesMax))
  return { type: "update", channel, seq, updates }
}
