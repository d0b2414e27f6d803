/**
 * Outgoing links: one attempt per dial, bounded in time, that ends in exactly one call of `onOpen`
 * or `onFailed`. When to try again is the core's business ([L8]).
 */
import type { Socket } from "node:net"
import { limits } from "@causeway/crdt/base"
import { parsePeerAddress } from "../address.ts"
import { linkProtocols } from "./compression.ts"
import { socketOptions } from "./limits.ts"
import { NodeSocket } from "./node-socket.ts"

export type DiallerOptions = {
  readonly onOpen: (address: string, socket: NodeSocket, raw: Socket) => void
  readonly onFailed: (address: string) => void
}

export class Dialler {
  readonly #onOpen: DiallerOptions["onOpen"]
  readonly #onFailed: DiallerOptions["onFailed"]
  readonly #attempts = new Set<NodeSocket>()

  constructor({ onOpen, onFailed }: DiallerOptions) {
    this.#onOpen = onOpen
    this.#onFailed = onFailed
  }

  /** `address`: a peer's base address, `ws://HOST:PORT`. */
  dial(address: string): void {
    // Peers tell of addresses too, and what is no URL throws.
    if (parsePeerAddress(address) === undefined) {
      setImmediate(() => this.#onFailed(address))
      return
    }
    const options = { ...socketOptions, handshakeTimeout: limits.linkHandshakeMs }
    const socket = new NodeSocket(
      `${address.replace(/\/+$/, "")}/link`,
      [...linkProtocols],
      options,
    )
    this.#attempts.add(socket)
    let raw: Socket | undefined
    socket.once("upgrade", (response) => {
      raw = response.socket
    })
    const end = (opened: boolean) => {
      if (!this.#attempts.delete(socket)) return
      if (opened && raw !== undefined) this.#onOpen(address, socket, raw)
      else this.#onFailed(address)
    }
    socket.once("open", () => end(true))
    socket.once("close", () => end(false))
    // `close` follows; without a listener an unreachable peer would end the process.
    socket.on("error", () => {})
  }

  stop(): void {
    for (const socket of this.#attempts) socket.terminate()
  }
}
