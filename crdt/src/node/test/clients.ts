/**
 * Clients whose every message the test writes, and what they got in answer. `YReplica` is the
 * document of one: what it holds after all it was sent.
 */
import * as Y from "yjs"
import { documentHash, limits, parseClientId } from "../../base/index.ts"
import type { ClientId, ConnectionId, DocumentId } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { decodeUpdate } from "../../log/index.ts"
import {
  decodeNodeMessage,
  encodeClientPresence,
  encodeCloseDocument,
  encodeHello,
  encodeOpen,
  encodeToken,
  encodeUpdate,
  encodeWantTier,
  encodeWatch,
  nativeVersions,
  pingFrame,
} from "../../protocol/index.ts"
import type {
  AckTier,
  ClientMessage,
  CloseReason,
  NodeMessage,
  PresenceEntry,
  Resume,
  TierMark,
} from "../../protocol/index.ts"
import {
  decodeYMessage,
  encodeYAwareness,
  encodeYStep1,
  encodeYStep2,
  encodeYUpdate,
} from "../../protocol/stock/index.ts"
import type { YMessage } from "../../protocol/stock/index.ts"
import type { TokenCheck } from "../admission.ts"
import { must } from "./harness.ts"
import type { End, TestNode } from "./harness.ts"

const nothing: Resume = { type: "nothing" }

export function clientNumbered(index: number): ClientId {
  return must(parseClientId(index.toString(16).padStart(32, "0")))
}

export function vectorOf(...entries: ConstructorParameters<typeof VersionVector>): VersionVector {
  return new VersionVector(...entries)
}

/** Numbers of the updates in the log, by client. */
export function logged(node: TestNode, client: number): number[] {
  const { run } = node.store.log.readOrigin(node.origin, 1, Infinity)
  return run.records.flatMap((record) => {
    const author = decodeUpdate(record)?.author
    return author?.client === clientNumbered(client) ? [author.seq] : []
  })
}

/** Time for whatever waits for the pace to become durable. */
export function commit(node: TestNode): void {
  node.world.advance(limits.commitPaceMs)
}

/** A state as clients send it: JSON. */
export function presenceOf(client: number, clock: number, state: unknown = { at: clock }) {
  return { client, clock, state: new TextEncoder().encode(JSON.stringify(state)) }
}

abstract class Client implements End {
  readonly node: TestNode
  id: ConnectionId = 0
  /** Set once the connection is over; undefined inside: the other side just went. */
  closed: { readonly reason: CloseReason | undefined } | undefined

  constructor(node: TestNode) {
    this.node = node
  }

  abstract onFrame(frame: Uint8Array): void

  onClosed(reason: CloseReason | undefined): void {
    this.closed = { reason }
  }

  sendFrame(frame: Uint8Array): void {
    this.node.world.clientSends(this.id, frame)
  }

  close(): void {
    this.node.world.clientCloses(this.id)
  }

  congested(): void {
    if (this.closed === undefined) this.node.input({ type: "congested", connection: this.id })
  }

  drained(): void {
    if (this.closed === undefined) this.node.input({ type: "drained", connection: this.id })
  }
}

export class NativeClient extends Client {
  readonly got: NodeMessage[] = []

  constructor(node: TestNode) {
    super(node)
    this.id = node.world.connect(node, { type: "native" }, this)
  }

  onFrame(frame: Uint8Array): void {
    const message = decodeNodeMessage(frame)
    this.got.push(message)
    this.onMessage(message)
  }

  onMessage(_message: NodeMessage): void {}

  send(message: ClientMessage): void {
    this.sendFrame(encode(message))
  }

  hello(client: number, firstPending = 1, token = ""): void {
    const versions = nativeVersions
    this.send({ type: "hello", versions, client: clientNumbered(client), firstPending, token })
  }

  open(channel: number, document: DocumentId, resume = nothing, generation = 0): void {
    this.send({ type: "open", channel, document, generation, resume })
  }

  update(channel: number, seq: number, ...updates: Uint8Array[]): void {
    this.send({ type: "update", channel, seq, updates })
  }

  presence(channel: number, ...entries: PresenceEntry[]): void {
    this.send({ type: "presence", channel, entries })
  }

  wantTier(tier: AckTier, fromSeq = 1, ...marks: TierMark[]): void {
    this.send({ type: "want-tier", tier, fromSeq, marks })
  }

  watch(since: VersionVector, ...documents: DocumentId[]): void {
    this.send({ type: "watch", since, hashes: documents.map(documentHash) })
  }

  /** The highest number that was acked at the tier. */
  ackedAt(tier: AckTier): number {
    return Math.max(0, ...this.of("ack").map((ack) => (ack.tier === tier ? ack.seq : 0)))
  }

  /** What came of one type. */
  of<T extends NodeMessage["type"]>(type: T): Extract<NodeMessage, { type: T }>[] {
    return this.got.filter((message): message is Extract<NodeMessage, { type: T }> => {
      return message.type === type
    })
  }

  get types(): string[] {
    return this.got.map(({ type }) => type)
  }

  get acked(): number {
    return Math.max(0, ...this.of("ack").map(({ seq }) => seq))
  }
}

/** Connected, greeted, and the document open on channel 1. */
export function openNative(
  node: TestNode,
  document: DocumentId,
  client: number,
  resume: Resume = nothing,
  generation = 0,
): NativeClient {
  const native = new NativeClient(node)
  native.hello(client)
  node.world.settle()
  native.open(1, document, resume, generation)
  node.world.settle()
  return native
}

export class StockClient extends Client {
  readonly got: YMessage[] = []

  constructor(node: TestNode, room: string | undefined, check?: TokenCheck) {
    super(node)
    const found = check === undefined ? {} : { check }
    this.id = node.world.connect(node, { type: "y-websocket", room, ...found }, this)
  }

  onFrame(frame: Uint8Array): void {
    const message = decodeYMessage(frame)
    this.got.push(message)
    this.onMessage(message)
  }

  onMessage(_message: YMessage): void {}

  step1(summary: Uint8Array = Uint8Array.of(0)): void {
    this.sendFrame(encodeYStep1(summary))
  }

  step2(update: Uint8Array): void {
    this.sendFrame(encodeYStep2(update))
  }

  update(update: Uint8Array): void {
    this.sendFrame(encodeYUpdate(update))
  }

  awareness(...entries: PresenceEntry[]): void {
    this.sendFrame(encodeYAwareness(entries))
  }

  of<T extends YMessage["type"]>(type: T): Extract<YMessage, { type: T }>[] {
    return this.got.filter((message): message is Extract<YMessage, { type: T }> => {
      return message.type === type
    })
  }
}

export function openStock(node: TestNode, room: string): StockClient {
  const stock = new StockClient(node, room)
  stock.step1()
  node.world.settle()
  return stock
}

/** A Yjs document with a fixed client id; each `put` gives the update it made. */
export class YWriter {
  readonly doc = new Y.Doc({ guid: "test" })

  constructor(clientId: number) {
    this.doc.clientID = clientId
  }

  put(key: string, value: unknown): Uint8Array {
    return this.change(() => this.doc.getMap("map").set(key, value))
  }

  change(edit: () => void): Uint8Array {
    const updates: Uint8Array[] = []
    const keep = (update: Uint8Array) => updates.push(update)
    this.doc.on("update", keep)
    this.doc.transact(edit)
    this.doc.off("update", keep)
    return Y.mergeUpdates(updates)
  }
}

/** A document as JSON after these updates. */
export function jsonAfter(updates: readonly Uint8Array[]): Record<string, unknown> {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getMap("map").toJSON()
}

function encode(message: ClientMessage): Uint8Array {
  switch (message.type) {
    case "hello":
      return encodeHello(message)
    case "open":
      return encodeOpen(message)
    case "update":
      return encodeUpdate(message)
    case "presence":
      return encodeClientPresence(message)
    case "close-document":
      return encodeCloseDocument(message)
    case "ping":
      return pingFrame
    case "want-tier":
      return encodeWantTier(message)
    case "watch":
      return encodeWatch(message)
    case "token":
      return encodeToken(message)
  }
}
