/** A peer whose every message the test writes, to see what a node makes of it. */
import { encodeRecord, genesisHash, chainRecords } from "../../log/index.ts"
import type { Head } from "../../log/index.ts"
import type { DocumentId, OriginId } from "../../base/index.ts"
import {
  decodeLinkMessage,
  encodeLinkDigests,
  encodeLinkEntries,
  encodeLinkHello,
  encodeLinkMembers,
  encodeLinkPresence,
  encodeLinkProof,
  encodeLinkTruncated,
  encodeLinkVector,
  encodeLinkWant,
  encodeTransferDocument,
  encodeTransferFailed,
  encodeTransferPage,
  encodeTransferWant,
  isTransferMessage,
  linkPingFrame,
  linkPongFrame,
  linkVersions,
  NONCE_BYTES,
} from "../../protocol/index.ts"
import type { CloseReason, LinkHello, LinkMessage, TransferMessage } from "../../protocol/index.ts"
import { nodeOfOrigin } from "../../base/index.ts"
import { testOrigin } from "../../testing/store-fixtures.ts"
import type { Endpoint } from "../input.ts"
import { proofOf } from "../link-proof.ts"
import type { LinkRole } from "../link-proof.ts"
import { YWriter } from "./clients.ts"
import type { End, TestNode } from "./harness.ts"

export class Peer implements End {
  readonly node: TestNode
  readonly id: number
  readonly origin: OriginId
  /** Up to the node's first vector. */
  readonly greeting: LinkMessage[] = []
  /** All after it. */
  readonly got: LinkMessage[] = []
  #nodesHello: Uint8Array = new Uint8Array()
  readonly #isDialler: boolean
  #hello: Uint8Array = new Uint8Array()
  proofSent: Uint8Array = new Uint8Array()
  closed: { readonly reason: CloseReason | undefined } | undefined

  constructor(node: TestNode, name = "peer", epoch = 1, dialledAt?: string) {
    this.node = node
    this.origin = testOrigin(name, epoch)
    this.#isDialler = dialledAt === undefined
    const endpoint: Endpoint =
      dialledAt === undefined
        ? { type: "link-accepted" }
        : { type: "link-dialled", address: dialledAt }
    this.id = node.world.connect(node, endpoint, this)
  }

  /** Its greeting is not what tests are about: what ends with the node's heads is kept apart. */
  onFrame(frame: Uint8Array): void {
    const message = decodeLinkMessage(frame)
    if (message.type === "hello") this.#nodesHello = frame.slice()
    const isGreeting = this.greeting.every(({ type }) => type !== "vector")
    ;(isGreeting ? this.greeting : this.got).push(message)
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
    const frame = encodeLinkHello({
      type: "hello",
      versions: linkVersions,
      cluster: "test",
      node: nodeOfOrigin(this.origin),
      origin: this.origin,
      windowBytes: 1_000_000,
      nonce: new Uint8Array(NONCE_BYTES).fill(7),
      address: "",
      ...fields,
    })
    this.#hello = frame
    this.sendFrame(frame)
  }

  /** The node's hello has come, unless there is no secret to be proved. */
  prove(secret?: Uint8Array, role: LinkRole = this.#isDialler ? "dialler" : "acceptor"): void {
    const [ours, theirs] = [this.#hello, this.#nodesHello]
    const hellos = this.#isDialler
      ? { dialler: ours, acceptor: theirs }
      : { dialler: theirs, acceptor: ours }
    const proof = secret === undefined ? new Uint8Array() : proofOf(secret, role, hellos)
    this.proofSent = encode({ type: "proof", proof })
    this.sendFrame(this.proofSent)
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

export type GreetingFields = Partial<LinkHello> & { readonly heads?: ReadonlyMap<OriginId, Head> }

/** A peer that is linked. */
export function linked(node: TestNode, name = "peer", fields: GreetingFields = {}): Peer {
  const peer = new Peer(node, name)
  greet(peer, fields)
  node.world.settle()
  return peer
}

/** Says all that a link begins with. */
export function greet(peer: Peer, { heads = new Map(), ...hello }: GreetingFields = {}): void {
  peer.hello(hello)
  peer.prove()
  peer.vector(...heads)
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

function encodeTransfer(message: TransferMessage): Uint8Array {
  switch (message.type) {
    case "transfer-want":
      return encodeTransferWant(message)
    case "document":
      return encodeTransferDocument(message)
    case "transfer-page":
      return encodeTransferPage(message)
    case "transfer-failed":
      return encodeTransferFailed(message)
  }
}

function encode(message: LinkMessage): Uint8Array {
  if (isTransferMessage(message)) return encodeTransfer(message)
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
    case "digests":
      return encodeLinkDigests(message)
    case "ping":
      return linkPingFrame
    case "pong":
      return linkPongFrame
    case "proof":
      return encodeLinkProof(message)
    case "members":
      return encodeLinkMembers(message)
  }
}
