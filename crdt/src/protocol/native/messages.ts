/** The native protocol's unions: what a client may send, what a node may send. */
import { DecodeError, Reader } from "../../base/index.ts"
import { nativeTags } from "../tags.ts"
import { decodeAck } from "./ack.ts"
import type { Ack } from "./ack.ts"
import { decodeCaughtUp } from "./caught-up.ts"
import type { CaughtUp } from "./caught-up.ts"
import { decodeCloseDocument, decodeDocumentClosed } from "./close-document.ts"
import type { CloseDocument, DocumentClosed } from "./close-document.ts"
import { decodeFreshness } from "./freshness.ts"
import type { Freshness } from "./freshness.ts"
import { decodeGeneration } from "./generation.ts"
import type { Generation } from "./generation.ts"
import { decodeHello } from "./hello.ts"
import type { Hello } from "./hello.ts"
import { decodeLogged } from "./logged.ts"
import type { Logged } from "./logged.ts"
import { decodeOpen } from "./open.ts"
import type { Open } from "./open.ts"
import { decodeOpened } from "./opened.ts"
import type { Opened } from "./opened.ts"
import type { Ping, Pong } from "./ping.ts"
import { decodeClientPresence, decodeDocumentPresence } from "./presence.ts"
import type { DocumentPresence, Presence } from "./presence.ts"
import { decodeReject } from "./reject.ts"
import type { Reject } from "./reject.ts"
import { decodeTierStatus } from "./tier-status.ts"
import type { TierStatus } from "./tier-status.ts"
import { decodeToken, decodeTokenValid } from "./token.ts"
import type { Token, TokenValid } from "./token.ts"
import { decodeUpdate } from "./update.ts"
import type { Update } from "./update.ts"
import { decodeUpdates } from "./updates.ts"
import type { Updates } from "./updates.ts"
import { decodeWantTier } from "./want-tier.ts"
import type { WantTier } from "./want-tier.ts"
import { decodeWatch } from "./watch.ts"
import type { Watch } from "./watch.ts"
import { decodeWelcome } from "./welcome.ts"
import type { Welcome } from "./welcome.ts"
import { decodeWoken } from "./woken.ts"
import type { Woken } from "./woken.ts"

export type ClientMessage =
  | Hello
  | Open
  | Update
  | Presence
  | CloseDocument
  | Ping
  | WantTier
  | Watch
  | Token
export type NodeMessage =
  | Welcome
  | Opened
  | Ack
  | Reject
  | Updates
  | DocumentPresence
  | DocumentClosed
  | Pong
  | Freshness
  | Generation
  | Logged
  | TierStatus
  | CaughtUp
  | Woken
  | TokenValid

/** Decodes a frame from a client to its last byte. @throws DecodeError */
export function decodeClientMessage(frame: Uint8Array): ClientMessage {
  const reader = new Reader(frame)
  const message = decodeClientBody(reader)
  reader.end()
  return message
}

function decodeClientBody(reader: Reader): ClientMessage {
  const tag = reader.u8()
  switch (tag) {
    case nativeTags.hello:
      return decodeHello(reader)
    case nativeTags.open:
      return decodeOpen(reader)
    case nativeTags.update:
      return decodeUpdate(reader)
    case nativeTags.presence:
      return decodeClientPresence(reader)
    case nativeTags.closeDocument:
      return decodeCloseDocument(reader)
    case nativeTags.ping:
      return { type: "ping" }
    case nativeTags.wantTier:
      return decodeWantTier(reader)
    case nativeTags.watch:
      return decodeWatch(reader)
    case nativeTags.token:
      return decodeToken(reader)
    default:
      throw new DecodeError("unknown-message", 0, `tag ${tag}`)
  }
}

/** Decodes a frame from a node to its last byte. @throws DecodeError */
export function decodeNodeMessage(frame: Uint8Array): NodeMessage {
  const reader = new Reader(frame)
  const message = decodeNodeBody(reader)
  reader.end()
  return message
}

function decodeNodeBody(reader: Reader): NodeMessage {
  const tag = reader.u8()
  switch (tag) {
    case nativeTags.opened:
      return decodeOpened(reader)
    case nativeTags.ack:
      return decodeAck(reader)
    case nativeTags.reject:
      return decodeReject(reader)
    case nativeTags.updates:
      return decodeUpdates(reader)
    case nativeTags.documentPresence:
      return decodeDocumentPresence(reader)
    case nativeTags.documentClosed:
      return decodeDocumentClosed(reader)
    case nativeTags.generation:
      return decodeGeneration(reader)
    case nativeTags.logged:
      return decodeLogged(reader)
    case nativeTags.tierStatus:
      return decodeTierStatus(reader)
    default:
      return decodeConnectionBody(tag, reader)
  }
}

/** What is of no document and no update. */
function decodeConnectionBody(tag: number, reader: Reader): NodeMessage {
  switch (tag) {
    case nativeTags.welcome:
      return decodeWelcome(reader)
    case nativeTags.pong:
      return { type: "pong" }
    case nativeTags.freshness:
      return decodeFreshness(reader)
    case nativeTags.caughtUp:
      return decodeCaughtUp(reader)
    case nativeTags.woken:
      return decodeWoken(reader)
    case nativeTags.tokenValid:
      return decodeTokenValid(reader)
    default:
      throw new DecodeError("unknown-message", 0, `tag ${tag}`)
  }
}
