/**
 * Watches every frame that leaves a node for what must be true of each: its limits, and that it
 * shows nothing that its disk does not hold ([D1] [L3] [L4]).
 */
import { assert, limits } from "../../base/index.ts"
import type { ConnectionId } from "../../base/index.ts"
import type { MemoryLog } from "../../log/index.ts"
import { decodeLinkMessage, decodeNodeMessage } from "../../protocol/index.ts"
import { decodeYMessage } from "../../protocol/stock/index.ts"
import type { Endpoint } from "../input.ts"

export class Promises {
  readonly #disk: { readonly log: MemoryLog }
  readonly #endpoints = new Map<ConnectionId, Endpoint["type"]>()

  constructor(disk: { readonly log: MemoryLog }) {
    this.#disk = disk
  }

  get #log(): MemoryLog {
    return this.#disk.log
  }

  open(connection: ConnectionId, endpoint: Endpoint): void {
    this.#endpoints.set(connection, endpoint.type)
  }

  /** Decodes as the receiver will, and throws if a promise is broken. */
  check(connection: ConnectionId, frame: Uint8Array): void {
    assert(frame.length <= limits.frameBytesMax, () => `a frame of ${frame.length} bytes`)
    switch (this.#endpoints.get(connection)) {
      case "native":
        return this.#checkNative(frame)
      case "y-websocket":
        decodeYMessage(frame)
        return undefined
      default:
        return this.#checkLink(frame)
    }
  }

  #checkNative(frame: Uint8Array): void {
    const message = decodeNodeMessage(frame)
    if (message.type !== "updates") return
    for (const [origin, seq] of message.resume.entries()) {
      assert(this.#log.head(origin).seq >= seq, "a resume point past the log")
    }
  }

  #checkLink(frame: Uint8Array): void {
    const message = decodeLinkMessage(frame)
    if (message.type === "entries") {
      const { origin, firstSeq, records } = message.run
      const held = this.#log.head(origin).seq
      assert(held >= firstSeq + records.length - 1, "pushed what is not durable")
    }
    if (message.type !== "vector") return
    for (const [origin, { seq }] of message.heads) {
      assert(this.#log.head(origin).seq >= seq, "advertised what is not durable")
    }
  }
}
