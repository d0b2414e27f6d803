/**
 * The sockets of one life of a native client: the core's number for each and the network's for
 * the same. There are two while it looks for a better node. Whatever the network says after `end`
 * goes nowhere.
 */
import { assert } from "@causeway/crdt/base"
import type { ConnectionId } from "@causeway/crdt/base"
import type { ClientInput } from "@causeway/crdt/client"
import { mayRetry } from "@causeway/crdt/protocol"
import type { Network, SocketOwner } from "./network.ts"
import type { HostId } from "./reachability.ts"

export type ClientSocketWorld = {
  readonly network: Network
  readonly hostOf: (address: string) => HostId | undefined
  readonly onInput: (input: ClientInput) => void
  /** It is connected to that node; undefined: no longer. */
  readonly onConnected: (node: HostId | undefined) => void
  /** A node closed it for good. */
  readonly onRefused: (code: number) => void
}

type Socket = {
  readonly own: ConnectionId
  readonly to: HostId
  connection: ConnectionId | undefined
}

export class ClientSockets {
  readonly #host: HostId
  readonly #world: ClientSocketWorld
  readonly #sockets = new Map<ConnectionId, Socket>()
  /** The last that opened. */
  #active: Socket | undefined
  #ended = false

  constructor(host: HostId, world: ClientSocketWorld) {
    this.#host = host
    this.#world = world
  }

  /** The node it is connected to. */
  get node(): HostId | undefined {
    return this.#active?.to
  }

  get dialling(): boolean {
    return [...this.#sockets.values()].some(({ connection }) => connection === undefined)
  }

  connect(own: ConnectionId, url: string): void {
    const to = this.#world.hostOf(url)
    assert(to !== undefined, () => `no such node: ${url}`)
    const socket: Socket = { own, to, connection: undefined }
    this.#sockets.set(own, socket)
    const owner: SocketOwner = {
      onFrame: (_connection, bytes) => {
        if (!this.#ended) this.#world.onInput({ type: "frame", socket: own, bytes })
      },
      onClosed: (_connection, code) => this.#onClosed(own, code),
    }
    this.#world.network.dial(this.#host, to, { type: "native" }, owner, (result) => {
      if (result === undefined) return this.#onClosed(own, 1006)
      const { connection } = result
      if (this.#ended || this.#sockets.get(own) !== socket) {
        return this.#world.network.close(connection, 1000)
      }
      socket.connection = connection
      this.#active = socket
      this.#world.onConnected(to)
      this.#world.onInput({ type: "socket-opened", socket: own })
    })
  }

  send(own: ConnectionId, frame: Uint8Array): void {
    const connection = this.#sockets.get(own)?.connection
    if (connection !== undefined) this.#world.network.send(connection, frame)
  }

  disconnect(own: ConnectionId, code: number): void {
    const connection = this.#sockets.get(own)?.connection
    if (connection !== undefined) this.#world.network.close(connection, code)
    this.#drop(own)
  }

  /** Somebody between the two closes it. */
  cut(): void {
    const connection = this.#active?.connection
    if (connection !== undefined) this.#world.network.close(connection, 1000)
  }

  /** The client goes on without a node for good. */
  hangUp(): void {
    for (const { connection } of this.#sockets.values()) {
      if (connection !== undefined) this.#world.network.close(connection, 1000)
    }
    this.end()
  }

  end(): void {
    this.#ended = true
    for (const own of this.#sockets.keys()) this.#drop(own)
  }

  #onClosed(own: ConnectionId, code: number): void {
    if (this.#ended) return
    if (this.#sockets.has(own)) {
      if (!mayRetry(code)) this.#world.onRefused(code)
      this.#drop(own)
    }
    this.#world.onInput({ type: "socket-closed", socket: own, code, reason: "" })
  }

  #drop(own: ConnectionId): void {
    this.#sockets.delete(own)
    if (this.#active?.own !== own) return
    this.#active = undefined
    this.#world.onConnected(undefined)
  }
}
