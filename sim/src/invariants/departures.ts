/**
 * Which presence clients a node knows to have left: the native connection that announced them
 * closed there, or its channel did. From then on that node shows them to nobody [N9].
 */
import type { ConnectionId } from "@causeway/crdt/base"
import type { Input } from "@causeway/crdt/node"
import { decodeClientMessage, isPresenceGone, nativeTags } from "@causeway/crdt/protocol"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import type { World } from "../world.ts"

type Departure = { readonly node: SimNode; readonly life: number }

export class Departures {
  readonly #world: World
  readonly #natives: ReadonlySet<HostId>
  /** Who was announced on a connection, by channel. */
  readonly #announced = new Map<ConnectionId, Map<number, Set<number>>>()
  readonly #left = new Map<number, Departure>()
  /** All whom native clients ever announced. */
  readonly #native = new Set<number>()

  constructor(world: World) {
    this.#world = world
    const natives = world.writers.filter(({ kind }) => kind === "native")
    this.#natives = new Set(natives.map(({ host }) => host))
  }

  /** Whether the node at `host` was told, in the life that it has now, that `client` left. */
  isKnownAt(host: HostId | undefined, client: number): boolean {
    const departure = this.#left.get(client)
    return departure?.node.host === host && departure?.node.life === departure?.life
  }

  /** Whether its client pings often while it is shown. */
  isNative(client: number): boolean {
    return this.#native.has(client)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (input.type === "closed") {
      for (const clients of this.#announced.get(input.connection)?.values() ?? []) {
        this.#leave(node, clients)
      }
      this.#announced.delete(input.connection)
    }
    if (input.type !== "frame") return
    const { connection, frame } = input
    if (frame[0] !== nativeTags.presence && frame[0] !== nativeTags.closeDocument) return
    if (this.#world.network.doorOf(connection)?.type !== "native") return
    const hosts = this.#world.network.hostsOf(connection)
    if (!hosts.some((host) => this.#natives.has(host))) return
    this.#onFrame(node, connection, frame)
  }

  #onFrame(node: SimNode, connection: ConnectionId, frame: Uint8Array): void {
    const message = decodeClientMessage(frame)
    const channels = this.#announced.get(connection) ?? new Map<number, Set<number>>()
    this.#announced.set(connection, channels)
    if (message.type === "close-document") {
      this.#leave(node, channels.get(message.channel) ?? new Set())
      channels.delete(message.channel)
    } else if (message.type === "presence") {
      const clients = channels.get(message.channel) ?? new Set<number>()
      channels.set(message.channel, clients)
      for (const { client, state } of message.entries) {
        if (isPresenceGone(state)) continue
        clients.add(client)
        this.#native.add(client)
        this.#left.delete(client)
      }
    }
  }

  #leave(node: SimNode, clients: ReadonlySet<number>): void {
    for (const client of clients) this.#left.set(client, { node, life: node.life })
  }
}
