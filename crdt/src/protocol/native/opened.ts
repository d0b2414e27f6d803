/**
 * Node → client: the document is open. `handle` is the node's own number for the document, so
 * that one `updates` frame serves every session. What the client lacks follows as `updates`, the
 * last of them `complete` (at once, if nothing is lacking). Rule [N4].
 */
import { limits, Writer } from "../../base/index.ts"
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
}

export function encodeOpened(message: Opened): Uint8Array {
  return new Writer(32 + message.summary.length)
    .u8(nativeTags.opened)
    .varUint(message.channel)
    .varUint(message.handle)
    .u8(message.access === "write" ? 1 : 0)
    .bytes(message.summary)
    .finish()
}

export function decodeOpened(reader: Reader): Opened {
  const channel = reader.varUint()
  const handle = reader.varUint()
  const access = reader.flag() ? "write" : "read"
  const summary = reader.bytes(limits.summaryBytesMax).slice()
  return { type: "opened", channel, handle, access, summary }
}
