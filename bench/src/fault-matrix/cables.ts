/**
 * The network between Causeway nodes: a TCP proxy per directed pair, since each node dials every
 * other. Cut, it resets what is connected and refuses what comes, as a Redis that was killed does
 * to those who use it. Clients do not go through it.
 */
import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { Server, Socket } from "node:net"
import type { Network } from "./cluster.ts"

const host = "127.0.0.1"

class Cable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  targetPort: number | undefined
  isCut = false

  private constructor(server: Server) {
    this.#server = server
    server.on("connection", (near) => this.#onConnection(near))
  }

  static async listen(): Promise<Cable> {
    const server = createServer({ noDelay: true })
    server.listen(0, host)
    await once(server, "listening")
    return new Cable(server)
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === "string") throw new Error("the cable is closed")
    return `ws://${host}:${address.port}`
  }

  reset(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.isCut = true
    this.reset()
    const closed = once(this.#server, "close")
    this.#server.close()
    await closed
  }

  #onConnection(near: Socket): void {
    if (this.isCut || this.targetPort === undefined) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ port: this.targetPort, host, noDelay: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far).pipe(near)
  }
}

export class Cables implements Network {
  /** By dialling node, then by dialled node. */
  readonly #cables: readonly (readonly (Cable | undefined)[])[]

  private constructor(cables: readonly (readonly (Cable | undefined)[])[]) {
    this.#cables = cables
  }

  /** Between each two of `count` nodes. */
  static async lay(count: number): Promise<Cables> {
    const indexes = Array.from({ length: count }, (_, index) => index)
    const cables = indexes.map((from) =>
      Promise.all(indexes.map(async (to) => (from === to ? undefined : Cable.listen()))),
    )
    return new Cables(await Promise.all(cables))
  }

  /** What node `from` dials to reach the others. */
  urlsOf(from: number): string[] {
    return (this.#cables[from] ?? []).flatMap((cable) => (cable === undefined ? [] : [cable.url]))
  }

  /** Node `to` listens there now. */
  connect(to: number, port: number): void {
    for (const row of this.#cables) {
      const cable = row[to]
      if (cable !== undefined) cable.targetPort = port
    }
  }

  async cut(): Promise<void> {
    for (const cable of this.#all()) {
      cable.isCut = true
      cable.reset()
    }
  }

  async heal(): Promise<void> {
    for (const cable of this.#all()) cable.isCut = false
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((cable) => cable.close()))
  }

  #all(): Cable[] {
    return this.#cables.flatMap((row) => row.filter((cable) => cable !== undefined))
  }
}
