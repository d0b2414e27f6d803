/**
 * Node → client: the document is open. `handle` is the node's own number for the document, so
 * that one `updates` frame serves every session. What the client lacks follows as `updates`, the
 * last of them `complete` (at once, if nothing is lacking). Rule [N4].
 */
import { DecodeError, limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"

export type Access = "read" | "write"

export type Opened = {
  readonly type: "opened"
  readonly channel: number
  readonly handle: number
  readonly access: Access
  /** What the node holds, so that the client can send what the node lost or never had. */
  readonly summary: Uint8Array
  /** Which one of its name it is. A client of version 1 is given none but the first. Rule [R6]. */
  readonly generation: number
}

/** Bits of one byte. */
const flags = { write: 1, later: 2 } as const

export function encodeOpened(message: Opened): Uint8Array {
  const { channel, handle, summary, generation } = message
  const isLater = generation > 1
  const writer = new Writer(32 + summary.length).u8(nativeTags.opened)
  writer.varUint(channel).varUint(handle)
  writer.u8((message.access === "write" ? flags.write : 0) | (isLater ? flags.later : 0))
  if (isLater) writer.varUint(generation)
  return writer.bytes(summary).finish()
}

export function decodeOpened(reader: Reader): Opened {
  const channel = reader.varUint()
  const handle = reader.varUint()
  const bits = reader.u8()
  if (bits > (flags.write | flags.later))
    throw new DecodeError("bad-value", reader.offset, "access")
  const isLater = (bits & flags.later) !== 0
  const generation = isLater ? reader.count(limits.generationMax) : 1
  if (isLater && generation < 2) throw new DecodeError("bad-value", reader.offset, "generation")
  const access = (bits & flags.write) === 0 ? "read" : "write"
  const summary = reader.bytes(limits.summaryBytesMax).slice()
  return { type: "opened", channel, handle, access, summary, generation }
}
