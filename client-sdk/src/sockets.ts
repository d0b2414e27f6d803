/**
 * WebSockets by number, over the host's global WebSocket. After `close` a socket is never heard
 * of again, whatever it still does.
 */
import type { ConnectionId } from "@causeway/crdt/base"

export type SocketEvents = {
  readonly onOpen: (socket: ConnectionId) => void
  readonly onFrame: (socket: ConnectionId, bytes: Uint8Array) => void
  readonly onClose: (socket: ConnectionId, code: number, reason: string) => void
}

/** The code a WebSocket reports when the connection broke without one. */
const abnormal = 1006
/** RFC 6455 §5.5: 125 bytes of payload, two of them the code. */
const reasonBytesMax = 123

export class Sockets {
  readonly #events: SocketEvents
  readonly #open = new Map<ConnectionId, WebSocket>()

  constructor(events: SocketEvents) {
    this.#events = events
  }

  connect(id: ConnectionId, url: string): void {
    let socket: WebSocket
    try {
      socket = new WebSocket(url)
    } catch (error) {
      this.#events.onClose(id, abnormal, String(error))
      return
    }
    this.#open.set(id, socket)
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () => {
      if (this.#open.has(id)) this.#events.onOpen(id)
    })
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (!this.#open.has(id)) return
      // Text is not of this protocol, and neither is an empty frame: the core says so.
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0)
      this.#events.onFrame(id, bytes)
    })
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#open.delete(id)) this.#events.onClose(id, code, reason)
    })
  }

  send(id: ConnectionId, frame: Uint8Array): void {
    const socket = this.#open.get(id)
    // Frames are made by a Writer, whose bytes are never shared memory.
    if (socket?.readyState === WebSocket.OPEN) socket.send(frame.slice())
  }

  close(id: ConnectionId, code: number, reason: string): void {
    const socket = this.#open.get(id)
    this.#open.delete(id)
    socket?.close(code, truncated(reason))
  }

  closeAll(): void {
    for (const id of this.#open.keys()) this.close(id, 1000, "")
  }
}

function truncated(reason: string): string {
  let text = reason
  while (new TextEncoder().encode(text).length > reasonBytesMax) text = text.slice(0, -1)
  return text
}
