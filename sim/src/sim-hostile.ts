/**
 * Whoever attacks: hosts of their own, any number of client ids, and an ear on every wire. What is
 * done from there stands in `hostile/`, one kind of attack a file. None may stop a core, disturb
 * honest clients beyond what limits say, or keep anything from converging afterwards; and nothing
 * but real updates may enter a log.
 */
import { assert, parseClientId } from "@causeway/crdt/base"
import type { ClientId, ConnectionId, NodeId } from "@causeway/crdt/base"
import type { Endpoint } from "@causeway/crdt/node"
import type { Network, SocketOwner } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Watcher } from "./watcher.ts"

export type HostileSetup = {
  /** The first of its hosts; all after it are free. */
  readonly host: HostId
  readonly cluster: string
  /** What opens the links of the cluster; some attackers have it, as a node that was taken over. */
  readonly secret: Uint8Array | undefined
  /** Told once: whatever this client id does, nobody promised it anything. */
  readonly distrust: (client: ClientId) => void
}

/** A frame that was on the wire, with the door it went through. */
export type Overheard = {
  readonly to: HostId
  readonly connection: ConnectionId
  readonly door: Endpoint
  readonly frame: Uint8Array
}

const OVERHEARD_MAX = 600
const HOSTS_MAX = 16

/** Hears nothing. */
const deaf = { onFrame: (): void => undefined, onClosed: (): void => undefined }

export class SimHostile implements Watcher {
  readonly host: HostId
  readonly cluster: string
  readonly secret: Uint8Array | undefined
  /** Nodes under whose names it said what others did: without a secret a name is all there is. */
  readonly spokeAs: Set<NodeId> = new Set<NodeId>()
  readonly #setup: HostileSetup
  readonly #network: Network
  readonly #overheard: Overheard[] = []
  #hosts = 0

  constructor(setup: HostileSetup, network: Network) {
    this.host = setup.host
    this.cluster = setup.cluster
    this.secret = setup.secret
    this.#setup = setup
    this.#network = network
  }

  /** What honest hosts said last, oldest first. */
  get overheard(): readonly Overheard[] {
    return this.#overheard
  }

  onArrived(from: HostId, to: HostId, connection: ConnectionId, frame: Uint8Array): void {
    const door = this.#network.doorOf(connection)
    if (from >= this.host || to >= this.host || door === undefined) return
    this.#overheard.push({ to, connection, door, frame })
    if (this.#overheard.length > 2 * OVERHEARD_MAX) this.#overheard.splice(0, OVERHEARD_MAX)
  }

  /** Another of its hosts; after many of them the first again. */
  nextHost(): HostId {
    this.#hosts += 1
    return this.host + (this.#hosts % HOSTS_MAX)
  }

  newClient(random: SimRandom): ClientId {
    const client = parseClientId(random.hex(32))
    assert(client !== undefined, "a client id is 32 hex digits")
    this.#setup.distrust(client)
    return client
  }

  /** Dials; `owner` undefined: it does not care what it is told. */
  connect(
    from: HostId,
    to: HostId,
    door: Endpoint,
    opened: (connection: ConnectionId) => void,
    owner: SocketOwner = deaf,
  ): void {
    this.#network.dial(from, to, door, owner, (result) => {
      if (result !== undefined) opened(result.connection)
    })
  }
}
