/**
 * A native client over a bare socket and the protocol's codec: numbers, sends, remembers what was
 * acked, and after a reconnect sends again what was not. It appends numbers to one array of a
 * Yjs document, so that what has arrived anywhere is a count.
 */
import { parseClientId, documentIdOf } from "@causeway/crdt/base"
import {
  decodeNodeMessage,
  encodeHello,
  encodeOpen,
  encodeUpdate,
  nativeVersions,
} from "@causeway/crdt/protocol"
import type { NodeMessage } from "@causeway/crdt/protocol"
import { WebSocket } from "ws"
import * as Y from "yjs"
import { until } from "../../demo/wait.ts"

const channel = 1

export class NativeWriter {
  readonly #doc = new Y.Doc()
  readonly #room: string
  readonly #array: Y.Array<number>
  readonly #client: string
  /** Update number n is `#updates[n - 1]`. */
  readonly #updates: Uint8Array[] = []
  #acked = 0
  #socket: WebSocket | undefined
  #isOpen = false
  #failure: string | undefined

  constructor(room: string, array: string) {
    this.#room = room
    this.#array = this.#doc.getArray(array)
    this.#client = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")
    this.#doc.on("update", (update: Uint8Array) => {
      this.#updates.push(update)
      if (this.#isOpen) this.#sendFrom(this.#updates.length)
    })
  }

  /** Written so far, and how many of them the node said are durable. */
  get written(): number {
    return this.#updates.length
  }

  get acked(): number {
    if (this.#failure !== undefined) throw new Error(this.#failure)
    return this.#acked
  }

  write(): void {
    this.#array.push([this.written])
  }

  /** Resolves once it may write live. */
  async connect(url: string): Promise<void> {
    const socket = new WebSocket(`${url}/sync`)
    socket.binaryType = "nodebuffer"
    this.#socket = socket
    socket.on("error", () => {})
    socket.on("open", () => this.#sayHello(socket))
    socket.on("message", (data) => {
      if (Buffer.isBuffer(data)) this.#onMessage(socket, decodeNodeMessage(data))
    })
    socket.on("close", () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#isOpen = false
    })
    await until("the native client is connected", () => this.#isOpen)
  }

  get isConnected(): boolean {
    return this.#socket !== undefined
  }

  destroy(): void {
    this.#socket?.terminate()
    this.#doc.destroy()
  }

  #sayHello(socket: WebSocket): void {
    const client = parseClientId(this.#client)
    if (client === undefined) throw new Error("the client id is no client id")
    const firstPending = this.#acked + 1
    const versions = nativeVersions
    socket.send(encodeHello({ type: "hello", versions, client, firstPending, token: "" }))
  }

  #onMessage(socket: WebSocket, message: NodeMessage): void {
    switch (message.type) {
      case "welcome": {
        this.#acked = Math.max(this.#acked, message.loggedSeq)
        const document = documentIdOf("yjs", this.#room)
        if (document === undefined) throw new Error("the room is no document name")
        const resume = { type: "nothing" } as const
        socket.send(encodeOpen({ type: "open", channel, document, generation: 0, resume }))
        return
      }
      case "opened":
        this.#isOpen = true
        return this.#sendFrom(this.#acked + 1)
      case "ack":
        this.#acked = message.seq
        return
      case "reject":
      case "document-closed":
        this.#failure = `${message.type} ${message.code}: ${message.message}`
        return
      default:
        return
    }
  }

  /** In frames of one each, all at once: the load is well within the node's window. */
  #sendFrom(seq: number): void {
    for (const [index, update] of this.#updates.slice(seq - 1).entries()) {
      const updates = [update]
      this.#socket?.send(encodeUpdate({ type: "update", channel, seq: seq + index, updates }))
    }
  }
}
