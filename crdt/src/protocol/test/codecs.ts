/** The three protocols in one shape, so that every check runs over all of them. */
import * as protocol from "../index.ts"
import type { ClientMessage, LinkMessage, NodeMessage } from "../index.ts"
import * as stock from "../stock/index.ts"
import type { YMessage } from "../stock/index.ts"

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  switch (message.type) {
    case "hello":
      return protocol.encodeHello(message)
    case "open":
      return protocol.encodeOpen(message)
    case "update":
      return protocol.encodeUpdate(message)
    case "presence":
      return protocol.encodeClientPresence(message)
    case "close-document":
      return protocol.encodeCloseDocument(message)
    case "ping":
      return protocol.pingFrame
    case "want-tier":
      return protocol.encodeWantTier(message)
    case "watch":
      return protocol.encodeWatch(message)
    case "token":
      return protocol.encodeToken(message)
  }
}

/** By type, as there are many. */
const ofNodes: {
  readonly [T in NodeMessage["type"]]: (message: Extract<NodeMessage, { type: T }>) => Uint8Array
} = {
  welcome: protocol.encodeWelcome,
  opened: protocol.encodeOpened,
  ack: protocol.encodeAck,
  reject: protocol.encodeReject,
  updates: protocol.encodeUpdates,
  "document-presence": protocol.encodeDocumentPresence,
  "document-closed": protocol.encodeDocumentClosed,
  pong: () => protocol.pongFrame,
  freshness: protocol.encodeFreshness,
  generation: protocol.encodeGeneration,
  logged: protocol.encodeLogged,
  "tier-status": protocol.encodeTierStatus,
  "caught-up": protocol.encodeCaughtUp,
  woken: protocol.encodeWoken,
  "token-valid": protocol.encodeTokenValid,
}

export function encodeNodeMessage(message: NodeMessage): Uint8Array {
  // cast: the table's types say it for each type of message; together they are a union.
  const encode = ofNodes[message.type] as (message: NodeMessage) => Uint8Array
  return encode(message)
}

function encodeTransfer(message: protocol.TransferMessage): Uint8Array {
  switch (message.type) {
    case "transfer-want":
      return protocol.encodeTransferWant(message)
    case "document":
      return protocol.encodeTransferDocument(message)
    case "transfer-page":
      return protocol.encodeTransferPage(message)
    case "transfer-failed":
      return protocol.encodeTransferFailed(message)
  }
}

export function encodeLinkMessage(message: LinkMessage): Uint8Array {
  if (protocol.isTransferMessage(message)) return encodeTransfer(message)
  switch (message.type) {
    case "hello":
      return protocol.encodeLinkHello(message)
    case "entries":
      return protocol.encodeLinkEntries(message)
    case "vector":
      return protocol.encodeLinkVector(message)
    case "want":
      return protocol.encodeLinkWant(message)
    case "presence":
      return protocol.encodeLinkPresence(message)
    case "truncated":
      return protocol.encodeLinkTruncated(message)
    case "digests":
      return protocol.encodeLinkDigests(message)
    case "ping":
      return protocol.linkPingFrame
    case "pong":
      return protocol.linkPongFrame
    case "proof":
      return protocol.encodeLinkProof(message)
    case "members":
      return protocol.encodeLinkMembers(message)
  }
}

/** A node never asks for awareness, so only clients encode `query-awareness`: one byte. */
export const yQueryAwarenessFrame: Uint8Array = Uint8Array.of(3)

export function encodeYMessage(message: YMessage): Uint8Array {
  switch (message.type) {
    case "step1":
      return stock.encodeYStep1(message.summary)
    case "step2":
      return stock.encodeYStep2(message.update)
    case "update":
      return stock.encodeYUpdate(message.update)
    case "awareness":
      return stock.encodeYAwareness(message.entries)
    case "query-awareness":
      return yQueryAwarenessFrame
  }
}

/** Decodes a frame and encodes what it said; `from` is who sends such frames. */
export type Codec = {
  readonly from: "client" | "node" | "peer" | "y-websocket"
  readonly decode: (frame: Uint8Array) => object
  readonly recode: (frame: Uint8Array) => Uint8Array
}

export const codecs: readonly Codec[] = [
  {
    from: "client",
    decode: protocol.decodeClientMessage,
    recode: (frame) => encodeClientMessage(protocol.decodeClientMessage(frame)),
  },
  {
    from: "node",
    decode: protocol.decodeNodeMessage,
    recode: (frame) => encodeNodeMessage(protocol.decodeNodeMessage(frame)),
  },
  {
    from: "peer",
    decode: protocol.decodeLinkMessage,
    recode: (frame) => encodeLinkMessage(protocol.decodeLinkMessage(frame)),
  },
  {
    from: "y-websocket",
    decode: stock.decodeYMessage,
    recode: (frame) => encodeYMessage(stock.decodeYMessage(frame)),
  },
]
