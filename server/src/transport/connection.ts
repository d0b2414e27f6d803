/**
 * One WebSocket as the core sees it: frames in, frames out, a byte budget. Frames that are put
 * wait for the end of the driver's pass and leave in one write. On a socket that we accepted they
 * are framed already and go straight to the raw socket: without compression every frame of ws
 * (ping, pong, close) is one whole write too, so both interleave safely. A socket that we dialled
 * must mask each frame with its own key, so there ws does the framing.
 */
import type { Socket } from "node:net"
import type { ConnectionId } from "@causeway/crdt/base"
import type { Endpoint, Input } from "@causeway/crdt/node"
import { closeCodes } from "@causeway/crdt/protocol"
import type { CloseReason } from "@causeway/crdt/protocol"
import type { RawData } from "ws"
import { WebSocket } from "ws"
import { unpack, zstdProtocol } from "./compression.ts"
import type { TransportLimits } from "./limits.ts"
import type { NodeSocket } from "./node-socket.ts"
import type { Outgoing } from "./outgoing.ts"

export type ConnectionOptions = {
  readonly id: ConnectionId
  readonly endpoint: Endpoint
  readonly socket: NodeSocket
  readonly raw: Socket
  readonly limits: TransportLimits
  readonly give: (input: Input) => void
  /** The connection is cut off for a reason the core does not know of. */
  readonly onCutOff: (reason: CloseReason) => void
  /** Called once, when the socket is gone. */
  readonly onGone: () => void
}

export class Connection {
  readonly id: ConnectionId
  readonly endpoint: Endpoint
  readonly #socket: NodeSocket
  readonly #raw: Socket
  readonly #isPacked: boolean
  readonly #limits: TransportLimits
  readonly #give: (input: Input) => void
  readonly #onCutOff: (reason: CloseReason) => void
  /** What this pass has put; the first apart, since most passes put one. */
  #first: Outgoing | undefined
  #others: Outgoing[] = []
  /** Writes since the socket last held nothing. */
  #writesWaiting = 0
  #congested = false
  /** The core has closed it, or its bytes are no WebSocket's: nothing more comes in. */
  #deaf = false
  #heard = true

  constructor(options: ConnectionOptions) {
    const { id, endpoint, socket, raw, limits, give, onCutOff, onGone } = options
    this.id = id
    this.endpoint = endpoint
    this.#socket = socket
    this.#raw = raw
    this.#isPacked = socket.protocol === zstdProtocol
    this.#limits = limits
    this.#give = give
    this.#onCutOff = onCutOff
    raw.setNoDelay(true)
    raw.on("drain", () => this.#onDrain())
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary))
    socket.on("pong", () => {
      this.#heard = true
    })
    socket.on("error", (error) => this.#onError(error))
    socket.on("close", (code: number) => {
      this.#deaf = true
      onGone()
      give({ type: "closed", connection: id, code })
    })
  }

  /** Keeps frames for the flush at the end of the pass; true if they are the first to wait. */
  put(unpacked: Outgoing): boolean {
    const outgoing = this.#isPacked ? unpacked.packed : unpacked
    if (this.#first !== undefined) {
      this.#others.push(outgoing)
      return false
    }
    this.#first = outgoing
    return true
  }

  /** Writes what was put, in order and in one go. */
  flush(): void {
    const first = this.#first
    if (first === undefined) return
    const others = this.#others
    this.#first = undefined
    if (others.length > 0) this.#others = []
    if (this.#socket.readyState !== WebSocket.OPEN) return
    if (this.#isOverMax()) {
      this.#cutOff("too-slow")
      return
    }
    if (others.length === 0 && this.endpoint.type !== "link-dialled") {
      this.#raw.write(first.framed)
    } else {
      this.#raw.cork()
      this.#write(first)
      for (const outgoing of others) this.#write(outgoing)
      this.#raw.uncork()
    }
    this.#account(1 + others.length)
  }

  #write(outgoing: Outgoing): void {
    if (this.endpoint.type !== "link-dialled") this.#raw.write(outgoing.framed)
    else for (const frame of outgoing.frames) this.#socket.send(frame)
  }

  #isOverMax(): boolean {
    const { waitingBytesMax, waitingWritesMax } = this.#limits
    return this.#raw.writableLength > waitingBytesMax || this.#writesWaiting > waitingWritesMax
  }

  #account(writes: number): void {
    const waiting = this.#raw.writableLength
    if (waiting === 0) {
      this.#writesWaiting = 0
      return
    }
    this.#writesWaiting += writes
    // Without "need drain" no drain event would follow; the socket then holds little anyway.
    if (this.#congested || !this.#raw.writableNeedDrain) return
    const { congestedBytes, congestedWrites } = this.#limits
    if (waiting <= congestedBytes && this.#writesWaiting <= congestedWrites) return
    this.#congested = true
    this.#give({ type: "congested", connection: this.id })
  }

  #onDrain(): void {
    this.#writesWaiting = 0
    if (!this.#congested) return
    this.#congested = false
    if (!this.#deaf) this.#give({ type: "drained", connection: this.id })
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#deaf) return
    this.#heard = true
    const connection = this.id
    const isFrame = isBinary && data instanceof Uint8Array
    const frame = !isFrame ? "malformed" : this.#isPacked ? unpack(data) : data
    if (typeof frame === "string") this.#give({ type: "bad-frame", connection, why: frame })
    else this.#give({ type: "frame", connection, frame })
  }

  /** ws reports unreadable bytes here; a socket's own failure ends in `close` all the same. */
  #onError(error: Error): void {
    const code = "code" in error ? error.code : undefined
    if (this.#deaf || typeof code !== "string" || !code.startsWith("WS_ERR_")) return
    this.#deaf = true
    const why = tooLargeCodes.has(code) ? "too-large" : "malformed"
    this.#give({ type: "bad-frame", connection: this.id, why })
  }

  /** Sends what waits and the close frame; the socket ends within `closeMs`. */
  close(reason: CloseReason): void {
    this.#deaf = true
    this.flush()
    this.#socket.close(closeCodes[reason].code, reason)
  }

  #cutOff(reason: CloseReason): void {
    this.#deaf = true
    this.#onCutOff(reason)
    this.#socket.close(closeCodes[reason].code, reason)
  }

  /** Cuts a peer off that said nothing since the last call; asks the others for a sign of life. */
  ping(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    // The pong of a slow reader stands behind all it has not read; its budget watches over it.
    if (!this.#heard && !this.#congested) {
      this.#onCutOff("silent")
      this.#socket.terminate()
      return
    }
    this.#heard = false
    this.#socket.ping()
  }

  destroy(): void {
    this.#socket.terminate()
  }
}

const tooLargeCodes: ReadonlySet<string> = new Set([
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
])
