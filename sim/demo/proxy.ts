/**
 * A TCP proxy in front of one node's port for one dialling peer: the cable of that direction. It
 * can be unplugged in two ways. `refuse` destroys what is connected and resets what comes;
 * `stall` keeps everything connected and lets no byte through, as a network that drops packets
 * does for a while; on healing the bytes go on where they stopped, none lost or repeated.
 */
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { Server, Socket } from "node:net"

export type CutType = "refuse" | "stall"

/** Connections at a time; past it new ones are reset. */
const connectionsMax = 64

type Pair = { readonly near: Socket; readonly far: Socket }

export class Proxy {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  /** Accepted while stalled; they reach the target when it is over. */
  readonly #held = new Set<Socket>()
  #targetPort: number | undefined
  #cut: CutType | undefined
  #bytes = 0

  private constructor(server: Server) {
    this.#server = server
    server.on("connection", (socket) => this.#onConnection(socket))
  }

  /** Listens on a free port of the loopback; resets connections until it has a target. */
  static async listen(): Promise<Proxy> {
    const server = createServer({ noDelay: true })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return new Proxy(server)
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === "string") throw new Error("the proxy is closed")
    return `ws://127.0.0.1:${address.port}`
  }

  /** Bytes that came in from both sides. */
  get bytes(): number {
    let bytes = this.#bytes
    for (const pair of this.#pairs) bytes += bytesOf(pair)
    return bytes
  }

  set targetPort(port: number) {
    this.#targetPort = port
  }

  cut(type: CutType): void {
    this.#cut = type
    if (type === "refuse") return this.#reset()
    for (const { near, far } of this.#pairs) {
      near.unpipe(far).pause()
      far.unpipe(near).pause()
    }
  }

  heal(): void {
    const stalled = this.#cut === "stall"
    this.#cut = undefined
    if (!stalled) return
    for (const pair of this.#pairs) join(pair)
    for (const near of this.#held) this.#connect(near)
    this.#held.clear()
  }

  async close(): Promise<void> {
    this.#cut = "refuse"
    this.#reset()
    if (!this.#server.listening) return
    const closed = once(this.#server, "close")
    this.#server.close()
    await closed
  }

  #onConnection(near: Socket): void {
    near.on("error", () => {})
    const isFull = this.#pairs.size + this.#held.size >= connectionsMax
    if (this.#cut === "refuse" || isFull) {
      near.resetAndDestroy()
    } else if (this.#cut === "stall") {
      near.pause()
      this.#held.add(near)
      near.once("close", () => this.#held.delete(near))
    } else this.#connect(near)
  }

  #connect(near: Socket): void {
    if (this.#targetPort === undefined) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host: "127.0.0.1", port: this.#targetPort, noDelay: true })
    const pair = { near, far }
    this.#pairs.add(pair)
    far.on("error", () => {})
    const end = () => {
      if (!this.#pairs.delete(pair)) return
      this.#bytes += bytesOf(pair)
      near.destroy()
      far.destroy()
    }
    near.once("close", end)
    far.once("close", end)
    join(pair)
  }

  #reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    for (const near of this.#held) near.resetAndDestroy()
  }
}

function join({ near, far }: Pair): void {
  near.pipe(far)
  far.pipe(near)
}

function bytesOf({ near, far }: Pair): number {
  return near.bytesRead + far.bytesRead
}
