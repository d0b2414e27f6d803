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

type Decoders<Message> = Readonly<Record<number, (reader: Reader) => Message>>

const clientDecoders: Decoders<ClientMessage> = {
  [nativeTags.hello]: decodeHello,
  [nativeTags.open]: decodeOpen,
  [nativeTags.update]: decodeUpdate,
  [nativeTags.presence]: decodeClientPresence,
  [nativeTags.closeDocument]: decodeCloseDocument,
  [nativeTags.ping]: () => ({ type: "ping" }),
  [nativeTags.wantTier]: decodeWantTier,
  [nativeTags.watch]: decodeWatch,
  [nativeTags.token]: decodeToken,
}

const nodeDecoders: Decoders<NodeMessage> = {
  [nativeTags.welcome]: decodeWelcome,
  [nativeTags.opened]: decodeOpened,
  [nativeTags.ack]: decodeAck,
  [nativeTags.reject]: decodeReject,
  [nativeTags.updates]: decodeUpdates,
  [nativeTags.documentPresence]: decodeDocumentPresence,
  [nativeTags.documentClosed]: decodeDocumentClosed,
  [nativeTags.pong]: () => ({ type: "pong" }),
  [nativeTags.freshness]: decodeFreshness,
  [nativeTags.generation]: decodeGeneration,
  [nativeTags.logged]: decodeLogged,
  [nativeTags.tierStatus]: decodeTierStatus,
  [nativeTags.caughtUp]: decodeCaughtUp,
  [nativeTags.woken]: decodeWoken,
  [nativeTags.tokenValid]: decodeTokenValid,
}

/** Decodes a frame from a client to its last byte. @throws DecodeError */
export function decodeClientMessage(frame: Uint8Array): ClientMessage {
  return decodeMessage(frame, clientDecoders)
}

/** Decodes a frame from a node to its last byte. @throws DecodeError */
export function decodeNodeMessage(frame: Uint8Array): NodeMessage {
  return decodeMessage(frame, nodeDecoders)
}

function decodeMessage<Message>(frame: Uint8Array, decoders: Decoders<Message>): Message {
  const reader = new Reader(frame)
  const tag = reader.u8()
  const decode = decoders[tag]
  if (decode === undefined) throw new DecodeError("unknown-message", 0, `tag ${tag}`)
  const message = decode(reader)
  reader.end()
  return message
}
