/**
 * Node → client: durable updates of one document, and how far they bring the client's resume
 * point. The same bytes go to every session of the document. Rules [N4] [N8].
 */
import { Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

/**
 * Updates in one `updates` frame, so that a frame of empty ones costs its reader no hundredfold
 * of its bytes. Past it: close 4400. `encodeUpdatesFrames` splits what is more.
 */
export const updatesPerNodeFrameMax = 65_536

/** Bytes of updates in one frame of `encodeUpdatesFrames`; one update may exceed them alone. */
const updatesFrameBytes = 1_048_576

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

/**
 * The message in as many frames as its updates need. Only the last one states the resume point
 * and `complete`; those before it state none, so a client that gets no further has lost nothing.
 */
export function encodeUpdatesFrames(message: Updates): Uint8Array[] {
  const { type, handle } = message
  const resume = new VersionVector()
  const frames: Uint8Array[] = []
  let part: Uint8Array[] = []
  let bytes = 0
  for (const update of message.updates) {
    const isFull =
      bytes + update.length > updatesFrameBytes || part.length === updatesPerNodeFrameMax
    if (part.length > 0 && isFull) {
      frames.push(encodeUpdates({ type, handle, complete: false, resume, updates: part }))
      part = []
      bytes = 0
    }
    part.push(update)
    bytes += update.length
  }
  frames.push(encodeUpdates({ ...message, updates: part }))
  return frames
}

export function decodeUpdates(reader: Reader): Updates {
  const handle = reader.varUint()
  const complete = reader.flag()
  const resume = VersionVector.decode(reader)
  const updates = reader.list(updatesPerNodeFrameMax, () => reader.bytes(reader.remaining))
  return { type: "updates", handle, complete, resume, updates }
}
