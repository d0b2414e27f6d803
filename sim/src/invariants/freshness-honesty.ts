/**
 * How far behind a peer a node says it is, over HTTP and to its clients [N12], is at least what it
 * knows that it lacks: whatever the peer's hello and vectors told it of on this link, origin by
 * origin, beyond what is on its own disk. Users are asked to trust a copy for that figure. It is
 * of the moment: what goes with a welcome, too, is said anew. Linked is whom it has a link to.
 */
import { DecodeError } from "@causeway/crdt/base"
import type { ConnectionId, NodeId, OriginId } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import { decodeNodeMessage, linkTags, nativeTags } from "@causeway/crdt/protocol"
import type { LinkMessage, PeerFreshness } from "@causeway/crdt/protocol"
import { readLinkFrame } from "../link-frames.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

/** What came over one link. */
type Told = {
  /** As its hello says. */
  peer: NodeId | undefined
  /** Only of what was not on the disk when it was last looked at: a life loses nothing. */
  readonly heads: Map<OriginId, number>
}

/** One life of a node. */
type Life = {
  readonly links: Map<ConnectionId, Told>
  readonly natives: Set<ConnectionId>
  /** Links that it closed in this step. */
  readonly closing: Set<ConnectionId>
  /** False once it ends: what it says then is what it knew. */
  hears: boolean
}

export class FreshnessHonesty implements Watcher {
  readonly #world: World
  readonly #lives = new Map<SimNode, Life>()
  #frames = 0
  #compared = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Frames to clients that were looked at. */
  get frames(): number {
    return this.#frames
  }

  /** How often a node was asked for a peer that it knew to be ahead. */
  get compared(): number {
    return this.#compared
  }

  onNodeStarted(node: SimNode): void {
    const life = { links: new Map(), natives: new Set<ConnectionId>() }
    this.#lives.set(node, { ...life, closing: new Set(), hears: true })
  }

  onNodeEnded(node: SimNode): void {
    this.#lives.delete(node)
  }

  onNodeInput(simNode: SimNode, input: Input): void {
    const life = this.#lives.get(simNode)
    if (life === undefined) return
    if (input.type === "opened") {
      const { type } = input.endpoint
      if (type === "native") life.natives.add(input.connection)
      if (type !== "link-accepted" && type !== "link-dialled") return
      life.links.set(input.connection, { peer: undefined, heads: new Map() })
    } else if (input.type === "closed") {
      life.links.delete(input.connection)
      life.natives.delete(input.connection)
    } else if (input.type === "stop") {
      life.hears = false
    } else if (input.type === "frame" && life.hears) {
      const told = life.links.get(input.connection)
      if (told !== undefined) note(told, input.frame)
    }
  }

  onNodeEffect(simNode: SimNode, effect: Effect): void {
    const life = this.#lives.get(simNode)
    if (life === undefined) return
    if (effect.type === "close") life.closing.add(effect.connection)
    if (effect.type === "emit" && effect.event.type === "store-in-doubt") life.hears = false
    if (effect.type !== "send" || !effect.to.some((id) => life.natives.has(id))) return
    for (const frame of effect.frames) {
      if (frame[0] !== nativeTags.freshness) continue
      const message = decodeNodeMessage(frame)
      if (message.type !== "freshness") continue
      this.#frames += 1
      this.#check(simNode, message.peers)
    }
  }

  /** A link that a node closes is one to the end of the step: it may say so still. */
  onNodeStepped(simNode: SimNode): void {
    const life = this.#lives.get(simNode)
    if (life === undefined || life.closing.size === 0) return
    for (const id of life.closing) {
      life.links.delete(id)
      life.natives.delete(id)
    }
    life.closing.clear()
  }

  onTick(): void {
    for (const simNode of this.#world.nodes) {
      const peers = simNode.core?.status().peers ?? []
      const named = peers.flatMap(({ node, state, behind }) => {
        return node === undefined ? [] : [{ node, linked: state === "linked", behind }]
      })
      this.#check(simNode, named)
    }
  }

  #check(simNode: SimNode, peers: readonly PeerFreshness[]): void {
    const life = this.#lives.get(simNode)
    if (life === undefined) return
    const lacksOf = new Map<NodeId | undefined, number>()
    for (const told of life.links.values()) {
      // Of two links with one name, of which one is about to go, it may mean either.
      const other = lacksOf.get(told.peer) ?? Infinity
      lacksOf.set(told.peer, Math.min(other, lackOf(told, simNode)))
    }
    for (const { node: peer, linked, behind } of peers) {
      // Between its last word and its end it may name links that it closed.
      if (!linked || !life.hears) continue
      const lacks = lacksOf.get(peer)
      demand(lacks !== undefined, INVARIANT, () => {
        return `${simNode.node} says it is linked to ${peer}, which no link of its is`
      })
      if (lacks > 0) this.#compared += 1
      demand(behind >= lacks, INVARIANT, () => {
        return `${simNode.node} says it is ${behind} behind ${peer}, and knows of ${lacks}`
      })
    }
  }
}

/** Who links may send anything. */
function note(told: Told, frame: Uint8Array): void {
  if (frame[0] !== linkTags.hello && frame[0] !== linkTags.vector) return
  let message: LinkMessage
  try {
    message = readLinkFrame(frame)
  } catch (error) {
    if (error instanceof DecodeError) return
    throw error
  }
  if (message.type === "hello") told.peer ??= message.node
  if (message.type !== "vector") return
  for (const [origin, { seq }] of message.heads) told.heads.set(origin, seq)
}

function lackOf({ heads }: Told, { disk }: SimNode): number {
  let lacks = 0
  for (const [origin, seq] of heads) {
    const held = disk.durable.head(origin).seq
    if (seq > held) lacks += seq - held
    else heads.delete(origin)
  }
  return lacks
}

const INVARIANT = "freshness-honesty"

export const freshnessHonesty: Invariant = {
  name: INVARIANT,
  explain: "how far behind a node says it is covers all that it was told of and lacks",
  watch: (world) => new FreshnessHonesty(world),
}
