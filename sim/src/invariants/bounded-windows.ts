/**
 * What is under way and not confirmed stays within the window that its receiver announced: entries
 * on a link until a vector of the peer's covers them [L3], updates of a native client until the
 * node acks them [C6]. Counted from frames at the node's end, where no more can be under way than
 * at the sender's. One frame, or one update, may exceed a window alone. What was sent of an origin
 * that turns out to be forked is never confirmed, and waited for no more [X1].
 */
import { limits } from "@causeway/crdt/base"
import type { ConnectionId, NodeId, OriginId } from "@causeway/crdt/base"
import type { Effect, Endpoint, Input } from "@causeway/crdt/node"
import {
  decodeClientMessage,
  decodeNodeMessage,
  linkTags,
  nativeTags,
} from "@causeway/crdt/protocol"
import { readLinkFrame } from "../link-frames.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** Bytes by number: of frames of an origin's entries, or of a client's updates. */
class UnderWay {
  readonly #pieces = new Map<number, number>()
  bytes = 0

  add(seq: number, bytes: number): void {
    this.#take(seq)
    this.#pieces.set(seq, bytes)
    this.bytes += bytes
  }

  /** Both are in order of numbers but for what is sent again, of which there is little. */
  confirm(toSeq: number): void {
    for (const seq of this.#pieces.keys()) if (seq <= toSeq) this.#take(seq)
  }

  rewind(fromSeq: number): void {
    for (const seq of this.#pieces.keys()) if (seq >= fromSeq) this.#take(seq)
  }

  get largest(): number {
    let largest = 0
    for (const bytes of this.#pieces.values()) largest = Math.max(largest, bytes)
    return largest
  }

  #take(seq: number): void {
    this.bytes -= this.#pieces.get(seq) ?? 0
    this.#pieces.delete(seq)
  }
}

type LinkEnd = {
  readonly node: SimNode
  /** Once the link is up. */
  peer: NodeId | undefined
  windowBytes: number | undefined
  readonly origins: Map<OriginId, UnderWay>
}

type ClientEnd = {
  readonly node: SimNode
  windowBytes: number | undefined
  readonly updates: UnderWay
}

export class BoundedWindows implements Watcher {
  readonly #links = new Map<ConnectionId, LinkEnd>()
  readonly #clients = new Map<ConnectionId, ClientEnd>()
  readonly #honest: ReadonlySet<HostId>

  constructor({ writers }: World) {
    const natives = writers.filter(({ kind }) => kind === "native")
    this.#honest = new Set(natives.map(({ host }) => host))
  }

  onNodeEnded(node: SimNode): void {
    for (const [id, end] of this.#links) if (end.node === node) this.#links.delete(id)
    for (const [id, end] of this.#clients) if (end.node === node) this.#clients.delete(id)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (input.type === "opened") this.#onOpened(node, input.connection, input.endpoint.type)
    if (input.type === "closed") {
      this.#links.delete(input.connection)
      this.#clients.delete(input.connection)
    }
    if (input.type !== "frame") return
    const link = this.#links.get(input.connection)
    if (link !== undefined) onPeerFrame(link, input.frame)
  }

  #onOpened(node: SimNode, connection: ConnectionId, type: Endpoint["type"]): void {
    if (type === "link-accepted" || type === "link-dialled") {
      const origins = new Map<OriginId, UnderWay>()
      this.#links.set(connection, { node, peer: undefined, windowBytes: undefined, origins })
    } else if (type === "native") {
      this.#clients.set(connection, { node, windowBytes: undefined, updates: new UnderWay() })
    }
  }

  onNodeEffect(from: SimNode, effect: Effect): void {
    if (effect.type === "emit") this.#onEvent(from, effect)
    if (effect.type !== "send") return
    const { node } = from
    for (const connection of effect.to) {
      const link = this.#links.get(connection)
      const client = this.#clients.get(connection)
      for (const frame of effect.frames) {
        if (link !== undefined) checkEntries(node, link, frame)
        else if (client !== undefined) onNodeFrame(client, frame)
      }
    }
  }

  #onEvent(node: SimNode, { event }: Extract<Effect, { type: "emit" }>): void {
    if (event.type === "link-up") {
      const link = this.#links.get(event.connection)
      if (link !== undefined) link.peer = event.peer
    } else if (event.type === "fork-detected") {
      for (const link of this.#links.values()) {
        if (link.node === node && link.peer === event.peer) link.origins.delete(event.origin)
      }
    }
  }

  onArrived(from: HostId, _to: HostId, connection: ConnectionId, frame: Uint8Array): void {
    const client = this.#clients.get(connection)
    if (client?.windowBytes === undefined || frame[0] !== nativeTags.update) return
    if (!this.#honest.has(from)) return
    const message = decodeClientMessage(frame)
    if (message.type !== "update") return
    const { updates, windowBytes } = client
    // A number that came before is sent again, and all that follows it.
    updates.rewind(message.seq)
    for (const [index, update] of message.updates.entries()) {
      updates.add(message.seq + index, update.length)
    }
    const isWithin = updates.bytes <= windowBytes || updates.bytes === updates.largest
    demand(isWithin, INVARIANT, () => {
      return `a client has ${updates.bytes} bytes under way in a window of ${windowBytes}`
    })
  }
}

/** Not everybody who links is a node: what can't be read changes nothing. */
function onPeerFrame(link: LinkEnd, frame: Uint8Array): void {
  const [tag] = frame
  if (tag !== linkTags.hello && tag !== linkTags.vector && tag !== linkTags.want) return
  let message
  try {
    message = readLinkFrame(frame)
  } catch {
    return
  }
  // What is below is there, or was asked for to look into a fork; what is above comes again.
  if (message.type === "want") link.origins.get(message.origin)?.rewind(0)
  if (message.type === "hello") {
    link.windowBytes ??= Math.min(message.windowBytes, limits.linkWindowBytes)
  }
  if (message.type !== "vector") return
  for (const [origin, { seq }] of message.heads) link.origins.get(origin)?.confirm(seq)
}

function checkEntries(node: string, link: LinkEnd, frame: Uint8Array): void {
  if (frame[0] !== linkTags.entries || link.windowBytes === undefined) return
  const message = readLinkFrame(frame)
  if (message.type !== "entries") return
  const { windowBytes, origins } = link
  const { origin, firstSeq, records } = message.run
  const bytes = [...origins.values()].reduce((sum, underWay) => sum + underWay.bytes, 0)
  demand(bytes < windowBytes, INVARIANT, () => {
    return `${node} sends entries while ${bytes} bytes fill a window of ${windowBytes}`
  })
  const underWay = origins.get(origin) ?? new UnderWay()
  origins.set(origin, underWay)
  // A frame counts until its last entry is confirmed or asked for again.
  const sent = records.reduce((sum, record) => sum + record.length, 0)
  underWay.add(firstSeq + records.length - 1, sent)
}

function onNodeFrame(client: ClientEnd, frame: Uint8Array): void {
  const [tag] = frame
  if (tag !== nativeTags.welcome && tag !== nativeTags.ack && tag !== nativeTags.reject) return
  const message = decodeNodeMessage(frame)
  if (message.type === "welcome") client.windowBytes = message.windowBytes
  else if (message.type === "ack") client.updates.confirm(message.seq)
  else if (message.type === "reject") client.updates.rewind(message.seq)
}

const INVARIANT = "bounded-windows"

export const boundedWindows: Invariant = {
  name: INVARIANT,
  explain: "no node and no client has more under way than the receiver's window takes",
  watch: (world) => new BoundedWindows(world),
}
