/**
 * A native client (`/sync`) spoken with the protocol's own codec and nothing else, so that a
 * client's work does not count as the server's. One question at a time.
 */
import { randomBytes } from "node:crypto"
import { documentIdOf, parseClientId } from "@causeway/crdt/base"
import {
  decodeNodeMessage,
  encodeCloseDocument,
  encodeHello,
  encodeOpen,
  encodeUpdate,
  nativeVersions,
  pingFrame,
} from "@causeway/crdt/protocol"
import type { NodeMessage } from "@causeway/crdt/protocol"
import { WebSocket } from "ws"

const answerMsMax = 120_000
/** A node ends a connection on which nothing was heard for longer. */
const pingMs = 4000

type Waiting = {
  readonly isAnswer: (message: NodeMessage) => boolean
  readonly settle: (failure: Error | undefined) => void
}

export class NativeClient {
  readonly #socket: WebSocket
  #waiting: Waiting | undefined
  #nextSeq = 1

  /** Connects and says hello. @throws Error if the node does not welcome it. */
  static async connect(url: string): Promise<NativeClient> {
    const client = new NativeClient(url)
    const welcome = client.#answer((message) => message.type === "welcome")
    client.#socket.once("open", () => client.#socket.send(helloFrame()))
    await welcome
    return client
  }

  private constructor(url: string) {
    this.#socket = new WebSocket(url, { perMessageDeflate: false })
    this.#socket.on("message", (data) => {
      if (data instanceof Uint8Array) this.#onMessage(decodeNodeMessage(data))
    })
    this.#socket.on("error", (error) => this.#waiting?.settle(error))
    this.#socket.on("close", (code) => this.#waiting?.settle(new Error(`closed with ${code}`)))
  }

  #onMessage(message: NodeMessage): void {
    if (message.type === "reject") this.#waiting?.settle(new Error(message.message))
    else if (this.#waiting?.isAnswer(message) === true) this.#waiting.settle(undefined)
  }

  #answer(isAnswer: (message: NodeMessage) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => settle(new Error("no answer in time")), answerMsMax)
      const pings = setInterval(() => this.#ping(), pingMs)
      const settle = (failure: Error | undefined): void => {
        clearTimeout(late)
        clearInterval(pings)
        this.#waiting = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      this.#waiting = { isAnswer, settle }
    })
  }

  /** Opens a document under `channel`; updates may follow at once. */
  open(channel: number, name: string): void {
    const document = documentIdOf("yjs", name)
    if (document === undefined) throw new TypeError(`no document name: ${name}`)
    const resume = { type: "nothing" } as const
    this.#socket.send(encodeOpen({ type: "open", channel, document, generation: 0, resume }))
  }

  closeDocument(channel: number): void {
    this.#socket.send(encodeCloseDocument({ type: "close-document", channel }))
  }

  send(channel: number, update: Uint8Array): void {
    const seq = this.#nextSeq++
    this.#socket.send(encodeUpdate({ type: "update", channel, seq, updates: [update] }))
  }

  /** Waits for the ack of everything sent so far. @throws Error if anything is refused. */
  async acked(): Promise<void> {
    const last = this.#nextSeq - 1
    await this.#answer((message) => message.type === "ack" && message.seq >= last)
  }

  close(): void {
    this.#socket.terminate()
  }

  #ping(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(pingFrame)
  }
}

function helloFrame(): Uint8Array {
  const client = parseClientId(randomBytes(16).toString("hex"))
  if (client === undefined) throw new TypeError("16 bytes are a client id")
  const versions = nativeVersions
  return encodeHello({ type: "hello", versions, client, firstPending: 1, token: "" })
}
