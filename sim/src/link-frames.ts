/**
 * What link frames say, for the checkers: several of them read each frame where it leaves and
 * where it arrives, and one frame goes to many peers. Nodes decode for themselves. Bounded by two
 * generations: what nobody read during a whole one is forgotten. Frames don't change once sent.
 */
import { decodeLinkMessage } from "@causeway/crdt/protocol"
import type { LinkMessage } from "@causeway/crdt/protocol"

/** Frames in one generation, and the bytes of one that is worth remembering. */
const GENERATION_MAX = 2048
const REMEMBERED_BYTES_MAX = 8192

let recent = new Map<Uint8Array, LinkMessage>()
let old = new Map<Uint8Array, LinkMessage>()

/** As `decodeLinkMessage`, by the identity of `frame`. @throws DecodeError */
export function readLinkFrame(frame: Uint8Array): LinkMessage {
  const held = recent.get(frame)
  if (held !== undefined) return held
  const message = old.get(frame) ?? decodeLinkMessage(frame)
  if (frame.length > REMEMBERED_BYTES_MAX) return message
  if (recent.size >= GENERATION_MAX) {
    old = recent
    recent = new Map()
  }
  recent.set(frame, message)
  return message
}
