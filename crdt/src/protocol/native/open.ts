/** Client → node: open a document, saying what is held of it already. Rules [N3] [N4]. */
import {
  DecodeError,
  decodeHeldDocument,
  encodeHeldDocument,
  limits,
  Writer,
} from "../../base/index.ts"
import type { DocumentId, Reader } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { nativeTags } from "../tags.ts"

/** Where to resume: nothing held, every entry up to a vector, or an engine summary. */
export type Resume =
  | { readonly type: "nothing" }
  | { readonly type: "vector"; readonly vector: VersionVector }
  | { readonly type: "summary"; readonly summary: Uint8Array }

export type Open = {
  readonly type: "open"
  /** The client's number for the document on this connection; never reused on it. */
  readonly channel: number
  /** Its name: of the first generation. */
  readonly document: DocumentId
  /** The generation that the client's state is of, from version 2 on; 0: it has none. [R6] */
  readonly generation: number
  readonly resume: Resume
}

const resumeTags = { nothing: 0, vector: 1, summary: 2 } as const

export function encodeOpen(message: Open): Uint8Array {
  const writer = new Writer().u8(nativeTags.open).varUint(message.channel)
  encodeHeldDocument(writer, message.document, message.generation)
  writer.u8(resumeTags[message.resume.type])
  if (message.resume.type === "vector") message.resume.vector.encode(writer)
  if (message.resume.type === "summary") writer.bytes(message.resume.summary)
  return writer.finish()
}

export function decodeOpen(reader: Reader): Open {
  const channel = reader.varUint()
  const { name: document, held: generation } = decodeHeldDocument(reader)
  return { type: "open", channel, document, generation, resume: decodeResume(reader) }
}

function decodeResume(reader: Reader): Resume {
  const tag = reader.u8()
  if (tag === resumeTags.nothing) return { type: "nothing" }
  if (tag === resumeTags.vector) return { type: "vector", vector: VersionVector.decode(reader) }
  if (tag === resumeTags.summary) {
    return { type: "summary", summary: reader.bytes(limits.summaryBytesMax).slice() }
  }
  throw new DecodeError("bad-value", reader.offset, "resume")
}
