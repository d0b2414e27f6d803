/**
 * Clients that behave: a Yjs document each, which they edit and bring up to date with what they
 * are sent, as the SDK and y-websocket do. After a reconnect they say what they hold and send
 * again what was not acked.
 */
import * as Y from "yjs"
import type { DocumentId } from "../../base/index.ts"
import { partsOfDocumentId } from "../../base/index.ts"
import { VersionVector } from "../../clock/index.ts"
import { rejectCodes } from "../../protocol/index.ts"
import type { NodeMessage, Resume } from "../../protocol/index.ts"
import type { YMessage } from "../../protocol/stock/index.ts"
import { NativeClient, StockClient, YWriter } from "./clients.ts"
import type { TestNode } from "./harness.ts"

export interface Replica {
  readonly doc: Y.Doc
  /** Connected, and not waiting for anything to be up to date. */
  readonly isLive: boolean
  readonly unacked: number
  edit(value: number): void
  congested(): void
  drained(): void
  reconnect(node: TestNode, how: number): void
  /** Sends what is not acked, if anything. */
  resend(): void
}

const keys = ["a", "b", "c", "d"]

function editOf(writer: YWriter, count: number, value: number): Uint8Array {
  const { doc } = writer
  return writer.change(() => {
    const map = doc.getMap("map")
    map.set(`${doc.clientID} ${count}`, value)
    const key = keys[value % keys.length] ?? "a"
    if (map.has(key) && value % 3 === 0) map.delete(key)
    else map.set(key, value)
    doc.getText("text").insert(value % (doc.getText("text").length + 1), "xy")
    if (value % 5 === 0) doc.getText("text").delete(0, 1)
  })
}

class Connection extends NativeClient {
  readonly replica: NativeReplica

  constructor(node: TestNode, replica: NativeReplica) {
    super(node)
    this.replica = replica
  }

  override onMessage(message: NodeMessage): void {
    this.replica.onMessage(this, message)
  }
}

export class NativeReplica implements Replica {
  readonly writer: YWriter
  readonly document: DocumentId
  readonly client: number
  /** Every update's number, and its bytes while it is not acked. */
  readonly outbox = new Map<number, Uint8Array>()
  #connection: Connection
  #nextSeq = 1
  #resume = new VersionVector()
  #isReady = false
  #isComplete = false
  #how: number

  constructor(node: TestNode, document: DocumentId, client: number, how: number) {
    this.writer = new YWriter(client)
    this.document = document
    this.client = client
    this.#how = how
    this.#connection = this.#connect(node)
  }

  get doc(): Y.Doc {
    return this.writer.doc
  }

  get isLive(): boolean {
    return this.#connection.closed === undefined && this.#isComplete
  }

  get unacked(): number {
    return this.outbox.size
  }

  #connect(node: TestNode): Connection {
    this.#isReady = false
    this.#isComplete = false
    const connection = new Connection(node, this)
    const [first = this.#nextSeq] = this.outbox.keys()
    connection.hello(this.client, first)
    return connection
  }

  reconnect(node: TestNode, how: number): void {
    this.#connection.close()
    this.#how = how
    this.#connection = this.#connect(node)
  }

  #resumePoint(): Resume {
    if (this.#how % 3 === 0) return { type: "nothing" }
    if (this.#how % 3 === 1) return { type: "vector", vector: this.#resume.clone() }
    return { type: "summary", summary: Y.encodeStateVector(this.doc) }
  }

  onMessage(connection: Connection, message: NodeMessage): void {
    if (connection !== this.#connection) return
    switch (message.type) {
      case "welcome":
        this.#trim(message.loggedSeq)
        connection.open(1, this.document, this.#resumePoint())
        this.#isReady = true
        this.resend()
        return
      case "updates":
        for (const update of message.updates) Y.applyUpdate(this.doc, update)
        this.#resume.raiseAll(message.resume)
        if (message.complete) this.#isComplete = true
        return
      case "ack":
        this.#trim(message.seq)
        if (!this.#isComplete) return
        for (const { seq } of message.marks) this.#resume.raise(connection.node.origin, seq)
        return
      case "reject":
        if (!rejectCodes[message.code].retry) throw new Error(`refused: ${message.code}`)
        return
      case "document-closed":
        connection.close()
        return
      default:
    }
  }

  #trim(acked: number): void {
    for (const seq of this.outbox.keys()) if (seq <= acked) this.outbox.delete(seq)
  }

  edit(value: number): void {
    const seq = this.#nextSeq++
    const update = editOf(this.writer, seq, value)
    this.outbox.set(seq, update)
    if (this.#isReady) this.#connection.update(1, seq, update)
  }

  resend(): void {
    if (!this.#isReady) return
    for (const [seq, update] of this.outbox) this.#connection.update(1, seq, update)
  }

  congested(): void {
    this.#connection.congested()
  }

  drained(): void {
    this.#connection.drained()
  }
}

class StockConnection extends StockClient {
  readonly replica: StockReplica

  constructor(node: TestNode, room: string, replica: StockReplica) {
    super(node, room)
    this.replica = replica
  }

  override onMessage(message: YMessage): void {
    this.replica.onMessage(this, message)
  }
}

export class StockReplica implements Replica {
  readonly unacked = 0
  readonly writer: YWriter
  readonly room: string
  #connection: StockConnection
  #edits = 0
  #isSynced = false

  constructor(node: TestNode, document: DocumentId, clientId: number) {
    this.writer = new YWriter(clientId)
    this.room = partsOfDocumentId(document).name
    this.#connection = this.#connect(node)
  }

  get doc(): Y.Doc {
    return this.writer.doc
  }

  get isLive(): boolean {
    return this.#connection.closed === undefined && this.#isSynced
  }

  #connect(node: TestNode): StockConnection {
    this.#isSynced = false
    const connection = new StockConnection(node, this.room, this)
    connection.step1(Y.encodeStateVector(this.doc))
    return connection
  }

  reconnect(node: TestNode): void {
    this.#connection.close()
    this.#connection = this.#connect(node)
  }

  onMessage(connection: StockConnection, message: YMessage): void {
    if (connection !== this.#connection) return
    if (message.type === "step1") {
      connection.step2(Y.encodeStateAsUpdate(this.doc, message.summary))
    } else if (message.type === "step2" || message.type === "update") {
      Y.applyUpdate(this.doc, message.update)
      if (message.type === "step2") this.#isSynced = true
    }
  }

  edit(value: number): void {
    const update = editOf(this.writer, ++this.#edits, value)
    this.#connection.update(update)
  }

  /** y-websocket's resync: step 1 again. */
  resend(): void {
    if (this.#connection.closed === undefined) {
      this.#connection.step1(Y.encodeStateVector(this.doc))
    }
  }

  congested(): void {
    this.#connection.congested()
  }

  drained(): void {
    this.#connection.drained()
  }
}
