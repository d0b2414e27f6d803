/** Frames from nodes, which are hostile until they are decoded. */
import { DecodeError } from "../base/index.ts"
import { decodeNodeMessage } from "../protocol/index.ts"
import type { NodeMessage } from "../protocol/index.ts"
import type { ClientEffect } from "./effect.ts"

/** Undefined if the frame is not of this protocol. */
export function decoded(frame: Uint8Array, effects: ClientEffect[]): NodeMessage | undefined {
  try {
    return decodeNodeMessage(frame)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const { code, message } = error
    effects.push({ type: "emit", event: { type: "malformed-frame", code, message } })
    return undefined
  }
}
