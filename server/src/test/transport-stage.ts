/** A transport on a real port, without a core: what it is given is written down. */
import { createServer } from "node:http"
import { connect } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import type { Input } from "@causeway/crdt/node"
import type { TokenChecks } from "../auth/authenticate.ts"
import type { TransportLimits } from "../transport/limits.ts"
import { Transport } from "../transport/transport.ts"
import type { Cleanup } from "./cleanup.ts"
import { until } from "./wait.ts"

export class TransportStage {
  readonly inputs: Input[] = []
  readonly cutOff: string[] = []
  readonly transport: Transport
  /** Our ends of the sockets, in the order of connecting. */
  readonly sockets: Socket[] = []
  port = 0
  readonly #cleanup: Cleanup

  constructor(cleanup: Cleanup, limits: Partial<TransportLimits> = {}, tokens?: TokenChecks) {
    this.#cleanup = cleanup
    this.transport = new Transport({
      give: (input) => this.inputs.push(input),
      onCutOff: (reason) => this.cutOff.push(reason),
      limits,
      tokens,
    })
  }

  async start(): Promise<this> {
    const server = createServer()
    server.on("upgrade", (request, socket, head) => this.transport.upgrade(request, socket, head))
    server.on("connection", (socket) => this.sockets.push(socket))
    server.listen(0, "127.0.0.1")
    await until("the port is open", () => server.listening)
    // cast: a listening TCP server has an address with a port.
    this.port = (server.address() as AddressInfo).port
    this.#cleanup.add(() => {
      this.transport.end("service-restart", 0, () => {})
      server.close()
      server.closeAllConnections()
    })
    return this
  }

  /** A client that stops reading once it is connected. */
  async deafClient(): Promise<Socket> {
    const before = this.opened()
    const socket = connect(this.port, "127.0.0.1")
    socket.on("error", () => {})
    this.#cleanup.add(() => socket.destroy())
    socket.write(
      "GET /yjs/a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )
    socket.once("data", () => socket.pause())
    await until("the connection is open", () => this.opened() === before + 1)
    return socket
  }

  opened(): number {
    return this.inputs.filter(({ type }) => type === "opened").length
  }

  has(type: Input["type"], connection: number): boolean {
    return this.inputs.some(
      (it) => it.type === type && "connection" in it && it.connection === connection,
    )
  }
}
