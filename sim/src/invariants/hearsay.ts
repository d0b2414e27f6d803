/**
 * What a node was told by its peers: a vector, the first of a link above all, tells all that its
 * sender held when it left. So whoever has taken one in holds what was there by then, or knows
 * that it lacks it; and a node that has no link to a peer knows that. Taken from frames that cores
 * took in, not from what cores make of them.
 */
import { DecodeError } from "@causeway/crdt/base"
import type { ConnectionId, Millis, NodeId } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import { linkTags } from "@causeway/crdt/protocol"
import { readLinkFrame } from "../link-frames.ts"
import type { HostId } from "../reachability.ts"
import type { SimNode } from "../sim-node.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"

type Link = {
  readonly at: HostId
  /** As its hello says. */
  named: HostId | undefined
  /** Undefined before its first vector: only that makes it a link. */
  from: HostId | undefined
  /** When its first vector was taken in, and when that had left. */
  metMs: Millis
  firstMs: Millis
  /** When what was taken in last had left. */
  toldMs: Millis
}

export class Hearsay implements Watcher {
  readonly #world: World
  readonly #links = new Map<ConnectionId, Link>()
  /** When a frame left its node. */
  readonly #leftMs = new WeakMap<Uint8Array, Millis>()
  readonly #heldMs = new Map<HostId, Millis>()

  constructor(world: World) {
    this.#world = world
  }

  /** When anything was added last to what `node` shows. */
  heldMs(node: HostId): Millis {
    return this.#heldMs.get(node) ?? -Infinity
  }

  /**
   * All that `from` held by then, `at` has or knows that it lacks; Infinity without a link. Of one
   * that came up after `sinceMs` only the first vector counts.
   */
  toldMs(from: HostId, at: HostId, sinceMs: Millis): Millis {
    let untilMs = Infinity
    for (const link of this.#links.values()) {
      if (link.at !== at || link.from !== from) continue
      untilMs = Math.min(untilMs, link.metMs >= sinceMs ? link.firstMs : link.toldMs)
    }
    return untilMs
  }

  /** A process that died before it heard of its commit finds it in its log. */
  onNodeStarted({ host }: SimNode): void {
    this.#heldMs.set(host, this.#world.scheduler.nowMs)
  }

  onNodeInput({ host }: SimNode, input: Input): void {
    const { nowMs } = this.#world.scheduler
    if (input.type === "committed") this.#heldMs.set(host, nowMs)
    else if (input.type === "closed") this.#links.delete(input.connection)
    else if (input.type === "frame") this.#onFrame(input.connection, input.frame)
    else if (input.type === "opened") {
      const { type } = input.endpoint
      if (type !== "link-accepted" && type !== "link-dialled") return
      const unheard = {
        named: undefined,
        from: undefined,
        metMs: nowMs,
        firstMs: -Infinity,
        toldMs: -Infinity,
      }
      this.#links.set(input.connection, { at: host, ...unheard })
    }
  }

  onNodeEffect(_node: SimNode, effect: Effect): void {
    if (effect.type === "close") this.#links.delete(effect.connection)
    if (effect.type !== "send" || !effect.to.some((id) => this.#links.has(id))) return
    const { nowMs } = this.#world.scheduler
    for (const frame of effect.frames) if (tells(frame)) this.#leftMs.set(frame, nowMs)
  }

  onNodeEnded({ host }: SimNode): void {
    for (const [id, { at }] of this.#links) if (at === host) this.#links.delete(id)
  }

  #onFrame(connection: ConnectionId, frame: Uint8Array): void {
    const link = this.#links.get(connection)
    if (link === undefined) return
    if (frame[0] === linkTags.hello) link.named ??= this.#hostNamed(nameIn(frame))
    if (!tells(frame)) return
    // What another build said in its own words, or was repeated, tells nothing that counts here.
    const leftMs = this.#leftMs.get(frame) ?? -Infinity
    link.toldMs = Math.max(link.toldMs, leftMs)
    if (link.from !== undefined) return
    link.from = link.named
    link.metMs = this.#world.scheduler.nowMs
    link.firstMs = leftMs
  }

  #hostNamed(name: NodeId | undefined): HostId | undefined {
    return this.#world.nodes.find(({ node }) => node === name)?.host
  }
}

function tells(frame: Uint8Array): boolean {
  return frame[0] === linkTags.vector
}

/** Anybody may send anything. */
function nameIn(hello: Uint8Array): NodeId | undefined {
  try {
    const message = readLinkFrame(hello)
    return message.type === "hello" ? message.node : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
