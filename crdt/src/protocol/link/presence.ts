/** Presence of the sender's own sessions; never passed on to a third node. Rule [L7]. */
import { decodeDocumentId, encodeDocumentId, Writer } from "../../base/index.ts"
import type { DocumentId, Reader } from "../../base/index.ts"
import { decodePresence, encodePresence } from "../presence.ts"
import type { PresenceEntry } from "../presence.ts"
import { linkTags } from "../tags.ts"

export type LinkPresence = {
  readonly type: "presence"
  readonly document: DocumentId
  readonly entries: readonly PresenceEntry[]
}

export function encodeLinkPresence(message: LinkPresence): Uint8Array {
  const writer = encodeDocumentId(new Writer().u8(linkTags.presence), message.document)
  encodePresence(writer, message.entries)
  return writer.finish()
}

export function decodeLinkPresence(reader: Reader): LinkPresence {
  const document = decodeDocumentId(reader)
  return { type: "presence", document, entries: decodePresence(reader) }
}
