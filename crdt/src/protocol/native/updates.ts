/**
 * Node → client: durable updates of one document, and how far they bring the client's resume
 * point. The same bytes go to every session of the document. Rules [N4] [N8].
 */
import { DecodeError, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

/**
 * Updates in one `updates` frame, so that a frame of empty ones costs its reader no hundredfold
 * of its bytes. A node splits what is more, and each part carries the resume point it reaches.
 */
export const updatesPerNodeFrameMax = 65_536

export type Updates = {
  readonly type: "updates"
  readonly handle: number
  /** True on the frame that ends a catch-up: from here on updates are live. */
  readonly complete: boolean
  /** Once these are applied, every entry of the document up to here is held. */
  readonly resume: VersionVector
  readonly updates: readonly Uint8Array[]
}

export function encodeUpdates(message: Updates): Uint8Array {
  const writer = new Writer(256).u8(nativeTags.updates).varUint(message.handle)
  writer.u8(message.complete ? 1 : 0)
  message.resume.encode(writer)
  writer.varUint(message.updates.length)
  for (const update of message.updates) writer.bytes(update)
  return writer.finish()
}

export function decodeUpdates(reader: Reader): Updates {
  const handle = reader.varUint()
  const complete = reader.u8()
  if (complete > 1) throw new DecodeError("bad-value", reader.offset, "complete")
  const resume = VersionVector.decode(reader)
  const count = reader.count(updatesPerNodeFrameMax)
  const updates: Uint8Array[] = []
  for (let index = 0; index < count; index++) updates.push(reader.bytes(reader.remaining))
  return { type: "updates", handle, complete: complete === 1, resume, updates }
}
