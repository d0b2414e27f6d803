/** A WebSocket client that sends any bytes and remembers what it gets. */
import { WebSocket } from "ws"
import type { Cleanup } from "./cleanup.ts"
import { soon } from "./wait.ts"

export type Closed = { readonly code: number; readonly reason: string }

export class RawClient {
  readonly socket: WebSocket
  readonly frames: Uint8Array[] = []
  readonly closed: Promise<Closed>

  constructor(url: string, cleanup: Cleanup) {
    this.socket = new WebSocket(url, { perMessageDeflate: false })
    this.socket.on("message", (data) => {
      if (data instanceof Uint8Array) this.frames.push(data)
    })
    this.socket.on("error", () => {})
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    cleanup.add(() => this.socket.terminate())
  }

  async open(): Promise<this> {
    const opened = new Promise<void>((resolve, reject) => {
      this.socket.once("open", resolve)
      this.socket.once("error", reject)
    })
    await soon(`${this.socket.url} opens`, opened)
    return this
  }

  send(...bytes: (number | Uint8Array)[]): void {
    this.socket.send(
      Buffer.concat(bytes.map((part) => (typeof part === "number" ? Buffer.of(part) : part))),
    )
  }
}
