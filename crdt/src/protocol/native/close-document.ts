/** Closing one document while the connection goes on. Rule [N10]. */
import { limits, Writer } from "../../base/index.ts"
import type { Reader } from "../../base/index.ts"
import { decodeNumbered } from "../numbered.ts"
import { nativeTags } from "../tags.ts"
import { encodeText } from "../text.ts"

/** Client → node. */
export type CloseDocument = { readonly type: "close-document"; readonly channel: number }

/** Why a node closes a document. Numbers are never reused; `retry`: opening again may work. */
export const documentCloseCodes = {
  "too-many": { number: 1, retry: false },
  "read-failed": { number: 2, retry: true },
  "document-too-large": { number: 3, retry: false },
  "permission-denied": { number: 4, retry: false },
  "document-deleted": { number: 5, retry: false },
} as const
export type DocumentCloseCode = keyof typeof documentCloseCodes

/** Node → client. */
export type DocumentClosed = {
  readonly type: "document-closed"
  readonly channel: number
  readonly code: DocumentCloseCode
  /** A sentence for the developer, cut to `textBytesMax`. */
  readonly message: string
}

export function encodeCloseDocument(message: CloseDocument): Uint8Array {
  return new Writer().u8(nativeTags.closeDocument).varUint(message.channel).finish()
}

export function decodeCloseDocument(reader: Reader): CloseDocument {
  return { type: "close-document", channel: reader.varUint() }
}

export function encodeDocumentClosed(message: DocumentClosed): Uint8Array {
  const writer = new Writer().u8(nativeTags.documentClosed).varUint(message.channel)
  writer.u8(documentCloseCodes[message.code].number)
  return encodeText(writer, message.message).finish()
}

export function decodeDocumentClosed(reader: Reader): DocumentClosed {
  const channel = reader.varUint()
  const code = decodeNumbered(reader, documentCloseCodes, ({ number }) => number)
  return { type: "document-closed", channel, code, message: reader.string(limits.textBytesMax) }
}
