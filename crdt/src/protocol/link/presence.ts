/** Presence of the sender's own sessions; never passed on to a third node. Rule [L7]. */
import { DecodeError, documentIdOf, engineOfTag, engineTags, limits } from "../../base/index.ts"
import { partsOfDocumentId, Writer } from "../../base/index.ts"
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
  const { engine, name } = partsOfDocumentId(message.document)
  const writer = new Writer().u8(linkTags.presence).u8(engineTags[engine]).string(name)
  encodePresence(writer, message.entries)
  return writer.finish()
}

export function decodeLinkPresence(reader: Reader): LinkPresence {
  const engine = engineOfTag(reader.u8())
  if (engine === undefined) throw new DecodeError("unknown-engine", reader.offset)
  const document = documentIdOf(engine, reader.string(limits.documentNameBytesMax))
  if (document === undefined) throw new DecodeError("bad-value", reader.offset, "name")
  return { type: "presence", document, entries: decodePresence(reader) }
}
