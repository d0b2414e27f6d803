/** A peer whose every message the test writes, to see what a node makes of it. */
import { encodeRecord, genesisHash, chainRecords } from "../../log/index.ts"
import type { Head } from "../../log/index.ts"
import type { DocumentId, OriginId } from "../../base/index.ts"
import {
  decodeLinkMessage,
  encodeLinkDigests,
  encodeLinkEntries,
  encodeLinkHello,
  encodeLinkPresence,
  encodeLinkTruncated,
  encodeLinkVector,
  encodeLinkWant,
  encodeTransferDocument,
  encodeTransferPage,
  encodeTransferWant,
  linkPingFrame,
  linkPongFrame,
  linkVersions,
} from "../../protocol/index.ts"
import type { CloseReason, LinkHello, LinkMessage } from "../../protocol/index.ts"
import { nodeOfOrigin } from "../../base/index.ts"
import { testOrigin } from "../../testing/store-fixtures.ts"
import { YWriter } from "./clients.ts"
import type { End, TestNode } from "./harness.ts"

export class Peer implements End {
  readonly node: TestNode
  readonly id: number
  readonly origin: OriginId
  readonly got: LinkMessage[] = []
  closed: { readonly reason: CloseReason | undefined } | undefined

  constructor(node: TestNode, name = "peer", epoch = 1) {
    this.node = node
    this.origin = testOrigin(name, epoch)
    this.id = node.world.connect(node, { type: "link-accepted" }, this)
  }

  onFrame(frame: Uint8Array): void {
    this.got.push(decodeLinkMessage(frame))
  }

  onClosed(reason: CloseReason | undefined): void {
    this.closed = { reason }
  }

  sendFrame(frame: Uint8Array): void {
    this.node.world.clientSends(this.id, frame)
  }

  send(message: LinkMessage): void {
    this.sendFrame(encode(message))
  }

  hello(fields: Partial<LinkHello> = {}): void {
    this.send({
      type: "hello",
      versions: linkVersions,
      cluster: "test",
      node: nodeOfOrigin(this.origin),
      origin: this.origin,
      windowBytes: 1_000_000,
      heads: new Map(),
      ...fields,
    })
  }

  vector(...heads: [OriginId, Head][]): void {
    this.send({ type: "vector", heads: new Map(heads) })
  }

  entries(
    origin: OriginId,
    firstSeq: number,
    records: Uint8Array[],
    previousHash = genesisHash,
  ): void {
    this.send({ type: "entries", run: { origin, firstSeq, records }, previousHash })
  }

  want(origin: OriginId, fromSeq: number): void {
    this.send({ type: "want", origin, fromSeq })
  }

  of<T extends LinkMessage["type"]>(type: T): Extract<LinkMessage, { type: T }>[] {
    return this.got.filter((message): message is Extract<LinkMessage, { type: T }> => {
      return message.type === type
    })
  }
}

/** A peer that is linked. */
export function linked(node: TestNode, name = "peer", fields: Partial<LinkHello> = {}): Peer {
  const peer = new Peer(node, name)
  peer.hello(fields)
  node.world.settle()
  return peer
}

export function recordOf(document: DocumentId, body: Uint8Array): Uint8Array {
  return encodeRecord({ kind: "update", document, author: undefined, atMs: 1, body })
}

/** Records that each stand for themselves. */
export function recordsOf(document: DocumentId, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    recordOf(document, new YWriter(100 + index).put(`k${index}`, "x")),
  )
}

/** The head of `origin` after these records from the first on. */
export function headAfter(origin: OriginId, records: readonly Uint8Array[]): Head {
  return chainRecords({ seq: 0, hash: genesisHash }, origin, records)
}

function encode(message: LinkMessage): Uint8Array {
  switch (message.type) {
    case "hello":
      return encodeLinkHello(message)
    case "entries":
      return encodeLinkEntries(message)
    case "vector":
      return encodeLinkVector(message)
    case "want":
      return encodeLinkWant(message)
    case "presence":
      return encodeLinkPresence(message)
    case "truncated":
      return encodeLinkTruncated(message)
    case "transfer-want":
      return encodeTransferWant(message)
    case "document":
      return encodeTransferDocument(message)
    case "transfer-page":
      return encodeTransferPage(message)
    case "digests":
      return encodeLinkDigests(message)
    case "ping":
      return linkPingFrame
    case "pong":
      return linkPongFrame
  }
}
