/**
 * All WebSockets of a node: upgrades of its HTTP server, links it dials, and by connection id the
 * way back. `send` only collects; `flush`, at the end of the driver's pass, makes each socket's
 * frames one write.
 */
import type { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { ConnectionId } from "@causeway/crdt/base"
import type { Endpoint, Input } from "@causeway/crdt/node"
import type { CloseReason } from "@causeway/crdt/protocol"
import { WebSocketServer } from "ws"
import type { TokenChecks } from "../auth/authenticate.ts"
import { linkProtocols } from "./compression.ts"
import { Connection } from "./connection.ts"
import { Dialler } from "./dialler.ts"
import { endpointOf, tokenOf } from "./endpoint.ts"
import { socketOptions, transportLimits } from "./limits.ts"
import type { TransportLimits } from "./limits.ts"
import { NodeSocket } from "./node-socket.ts"
import { Outgoing } from "./outgoing.ts"
import { refuseUpgrade } from "./refuse-upgrade.ts"

export type TransportOptions = {
  readonly give: (input: Input) => void
  /** The transport itself turned somebody away or cut somebody off. */
  readonly onCutOff: (reason: CloseReason) => void
  readonly limits?: Partial<TransportLimits>
  /** Undefined: everybody is let in. */
  readonly tokens?: TokenChecks | undefined
}

type UpgradeRequest = {
  readonly request: IncomingMessage
  readonly raw: Duplex
  readonly head: Buffer
}

/** A ping of every connection takes this many steps, so that they do not all fall on one moment. */
const PING_STEPS = 30

export class Transport {
  readonly #give: (input: Input) => void
  readonly #onCutOff: (reason: CloseReason) => void
  readonly #limits: TransportLimits
  readonly #tokens: TokenChecks | undefined
  readonly #server: WebSocketServer
  readonly #dialler: Dialler
  readonly #connections = new Map<ConnectionId, Connection>()
  readonly #pings: NodeJS.Timeout
  /** Connections with frames to flush. */
  #waiting: Connection[] = []
  /** What was framed in this pass, by its only frame: effects may share frames. */
  readonly #shared = new Map<Uint8Array, Outgoing>()
  /** Upgrades whose token is being checked. */
  readonly #checking = new Set<Duplex>()
  #lastId = 0
  #pingStep = 0
  #accepting = true
  #onEmpty: (() => void) | undefined

  constructor({ give, onCutOff, limits, tokens }: TransportOptions) {
    this.#tokens = tokens
    this.#limits = { ...transportLimits, ...limits }
    this.#give = give
    this.#onCutOff = onCutOff
    const accepted = { noServer: true, clientTracking: false, WebSocket: NodeSocket }
    this.#server = new WebSocketServer({ ...socketOptions, ...accepted, handleProtocols })
    this.#dialler = new Dialler({
      onOpen: (address, socket, raw) => this.#add({ type: "link-dialled", address }, socket, raw),
      onFailed: (address) => give({ type: "dial-failed", address }),
    })
    this.#pings = setInterval(() => this.#ping(), this.#limits.pingMs / PING_STEPS)
    this.#pings.unref()
  }

  /** Takes a request to upgrade, or refuses it in HTTP. */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const endpoint = endpointOf(request.url ?? "")
    if (endpoint === undefined) refuseUpgrade(raw, "404 Not Found")
    else if (!this.#accepting) refuseUpgrade(raw, "503 Service Unavailable")
    else if (this.#connections.size + this.#checking.size >= this.#limits.connectionsMax) {
      this.#onCutOff("overloaded")
      refuseUpgrade(raw, "503 Service Unavailable")
    } else if (endpoint.type === "y-websocket" && this.#tokens !== undefined) {
      void this.#checkFirst(this.#tokens, { request, raw, head }, endpoint.room)
    } else this.#accept({ request, raw, head }, endpoint)
  }

  /**
   * Such a client sends what it has as soon as it is connected, so its token is checked before.
   * A refusal is a close code, for which it needs its WebSocket: an HTTP status it never sees.
   */
  async #checkFirst(
    tokens: TokenChecks,
    upgrade: UpgradeRequest,
    room: string | undefined,
  ): Promise<void> {
    const { raw, request } = upgrade
    const onError = () => raw.destroy()
    raw.on("error", onError)
    this.#checking.add(raw)
    const check = await tokens.check(tokenOf(request.url ?? ""))
    raw.off("error", onError)
    if (this.#checking.delete(raw) && !raw.destroyed)
      this.#accept(upgrade, { type: "y-websocket", room, check })
  }

  #accept({ request, raw, head }: UpgradeRequest, endpoint: Endpoint): void {
    this.#server.handleUpgrade(request, raw, head, (socket) => {
      if (raw instanceof Socket) this.#add(endpoint, socket, raw)
      else socket.terminate()
    })
  }

  #add(endpoint: Endpoint, socket: NodeSocket, raw: Socket): void {
    const id = ++this.#lastId
    const connection = new Connection({
      id,
      endpoint,
      socket,
      raw,
      limits: this.#limits,
      give: this.#give,
      onCutOff: this.#onCutOff,
      onGone: () => this.#remove(id),
    })
    this.#connections.set(id, connection)
    this.#give({ type: "opened", connection: id, endpoint })
  }

  #remove(id: ConnectionId): void {
    this.#connections.delete(id)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  /** Connects to a peer's `/link`; leads to `opened` or `dial-failed`. */
  dial(address: string): void {
    if (this.#accepting) this.#dialler.dial(address)
    else this.#give({ type: "dial-failed", address })
  }

  /** Collects frames for `flush`. A connection that is gone or closing takes none. */
  send(to: readonly ConnectionId[], frames: readonly Uint8Array[]): void {
    const outgoing = this.#outgoing(frames)
    for (const id of to) {
      const connection = this.#connections.get(id)
      if (connection?.put(outgoing) === true) this.#waiting.push(connection)
    }
  }

  #outgoing(frames: readonly Uint8Array[]): Outgoing {
    const [only] = frames
    if (only === undefined || frames.length > 1) return new Outgoing(frames)
    const known = this.#shared.get(only)
    if (known !== undefined) return known
    const outgoing = new Outgoing(frames)
    this.#shared.set(only, outgoing)
    return outgoing
  }

  flush(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#shared.clear()
    for (const connection of waiting) connection.flush()
  }

  close(id: ConnectionId, reason: CloseReason): void {
    this.#connections.get(id)?.close(reason)
  }

  /** How many connections came through each door. */
  counts(): Readonly<Record<Endpoint["type"], number>> {
    const counts = { native: 0, "y-websocket": 0, "link-accepted": 0, "link-dialled": 0 }
    for (const { endpoint } of this.#connections.values()) counts[endpoint.type]++
    return counts
  }

  #ping(): void {
    this.#pingStep = (this.#pingStep + 1) % PING_STEPS
    for (const connection of this.#connections.values()) {
      if (connection.id % PING_STEPS === this.#pingStep) connection.ping()
    }
  }

  /** Takes no connection from now on and dials no peer. */
  stopAccepting(): void {
    this.#accepting = false
    this.#dialler.stop()
    for (const raw of this.#checking) refuseUpgrade(raw, "503 Service Unavailable")
    this.#checking.clear()
  }

  /** Closes what is left, cuts off what has not ended after `patienceMs`, then calls `done`. */
  end(reason: CloseReason, patienceMs: number, done: () => void): void {
    this.stopAccepting()
    this.flush()
    clearInterval(this.#pings)
    for (const connection of this.#connections.values()) connection.close(reason)
    if (this.#connections.size === 0) return done()
    const patience = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.destroy()
    }, patienceMs)
    this.#onEmpty = () => {
      clearTimeout(patience)
      this.#onEmpty = undefined
      done()
    }
  }
}

/** Others get what they offer first, as a browser that is answered none closes the socket. */
function handleProtocols(offered: ReadonlySet<string>, request: IncomingMessage): string | false {
  const [first] = offered
  if (endpointOf(request.url ?? "")?.type !== "link-accepted") return first ?? false
  return linkProtocols.find((name) => offered.has(name)) ?? first ?? false
}
