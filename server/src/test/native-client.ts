/** The native protocol by hand: one document, numbered updates, what the node answered. */
import { randomBytes } from "node:crypto"
import { documentIdOf, parseClientId } from "@causeway/crdt/base"
import type { EngineName } from "@causeway/crdt/base"
import { decodeNodeMessage, encodeHello, encodeOpen } from "@causeway/crdt/protocol"
import { encodeUpdate, nativeVersions } from "@causeway/crdt/protocol"
import type { DocumentCloseCode, NodeMessage } from "@causeway/crdt/protocol"
import type { Cleanup } from "./cleanup.ts"
import { RawClient } from "./raw-client.ts"
import { until } from "./wait.ts"

export class NativeClient extends RawClient {
  #lastSeq = 0
  readonly #messages: NodeMessage[] = []
  /** Every update up to here is durable. */
  ackedSeq = 0

  /** Says hello and opens the document as channel 1. */
  static async open(
    url: string,
    engine: EngineName,
    name: string,
    cleanup: Cleanup,
    token = "",
  ): Promise<NativeClient> {
    const client = await new NativeClient(`${url}/sync`, cleanup).open()
    const id = parseClientId(randomBytes(16).toString("hex"))
    const document = documentIdOf(engine, name)
    if (id === undefined || document === undefined) throw new TypeError("a bad name")
    client.send(
      encodeHello({
        type: "hello",
        versions: nativeVersions,
        client: id,
        firstPending: 1,
        token,
      }),
    )
    await until("welcome", () => client.has("welcome"))
    const resume = { type: "nothing" } as const
    client.send(encodeOpen({ type: "open", channel: 1, document, generation: 0, resume }))
    await until("opened", () => client.has("opened"))
    return client
  }

  /** What has come so far; decoded once. */
  messages(): readonly NodeMessage[] {
    for (const frame of this.frames.slice(this.#messages.length)) {
      const message = decodeNodeMessage(frame)
      this.#messages.push(message)
      if (message.type === "ack") this.ackedSeq = Math.max(this.ackedSeq, message.seq)
    }
    return this.#messages
  }

  has(type: NodeMessage["type"]): boolean {
    return this.messages().some((message) => message.type === type)
  }

  /** Sends the next update; its number. */
  update(update: Uint8Array): number {
    const seq = ++this.#lastSeq
    this.send(encodeUpdate({ type: "update", channel: 1, seq, updates: [update] }))
    return seq
  }

  /** Waits until the node has closed the document for that. */
  async closedDocument(code: DocumentCloseCode): Promise<void> {
    await until(`the document is closed: ${code}`, () =>
      this.messages().some((message) => {
        return message.type === "document-closed" && message.code === code
      }),
    )
  }

  async acked(seq: number): Promise<void> {
    await until(`the ack of ${seq}`, () => this.messages().length > 0 && this.ackedSeq >= seq)
  }
}
