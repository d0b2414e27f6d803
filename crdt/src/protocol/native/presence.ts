/**
 * Presence: client → node by channel, node → client by handle (one frame for all sessions).
 * Never logged. Rule [N9].
 */
import { Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { decodePresence, encodePresence } from "../presence.ts"
import type { PresenceEntry } from "../presence.ts"
import { nativeTags } from "../tags.ts"

export type Presence = {
  readonly type: "presence"
  readonly channel: number
  readonly entries: readonly PresenceEntry[]
}

export type DocumentPresence = {
  readonly type: "document-presence"
  readonly handle: number
  readonly entries: readonly PresenceEntry[]
}

export function encodeClientPresence(message: Presence): Uint8Array {
  const writer = new Writer().u8(nativeTags.presence).varUint(message.channel)
  encodePresence(writer, message.entries)
  return writer.finish()
}

export function decodeClientPresence(reader: Reader): Presence {
  return { type: "presence", channel: reader.varUint(), entries: decodePresence(reader) }
}

export function encodeDocumentPresence(message: DocumentPresence): Uint8Array {
  const writer = new Writer().u8(nativeTags.documentPresence).varUint(message.handle)
  encodePresence(writer, message.entries)
  return writer.finish()
}

export function decodeDocumentPresence(reader: Reader): DocumentPresence {
  return { type: "document-presence", handle: reader.varUint(), entries: decodePresence(reader) }
}
