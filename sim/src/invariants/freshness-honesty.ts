/**
 * How far behind a peer a node says it is, over HTTP and to its clients [N12], is at least what it
 * knows that it lacks: whatever the peer's hello and vectors told it of on this link, origin by
 * origin, beyond what is on its own disk. Users are asked to trust a copy for that figure.
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

class FreshnessHonesty implements Watcher {
  readonly #world: World
  readonly #links = new Map<SimNode, Map<ConnectionId, Told>>()
  readonly #natives = new Set<ConnectionId>()

  constructor(world: World) {
    this.#world = world
  }

  onNodeEnded(node: SimNode): void {
    this.#links.delete(node)
  }

  onNodeInput(simNode: SimNode, input: Input): void {
    if (input.type === "opened") {
      const { type } = input.endpoint
      if (type === "native") this.#natives.add(input.connection)
      if (type !== "link-accepted" && type !== "link-dialled") return
      const links = this.#links.get(simNode) ?? new Map<ConnectionId, Told>()
      this.#links.set(simNode, links)
      links.set(input.connection, { peer: undefined, heads: new Map() })
    } else if (input.type === "closed") {
      this.#links.get(simNode)?.delete(input.connection)
      this.#natives.delete(input.connection)
    } else if (input.type === "stop") {
      // It hears nobody any more: what it says is what it knew.
      this.#links.delete(simNode)
    } else if (input.type === "frame") {
      const told = this.#links.get(simNode)?.get(input.connection)
      if (told !== undefined) note(told, input.frame)
    }
  }

  onNodeEffect(simNode: SimNode, effect: Effect): void {
    // It ends to be opened anew, and hears nobody until then.
    if (effect.type === "emit" && effect.event.type === "store-in-doubt")
      this.#links.delete(simNode)
    if (effect.type !== "send") return
    // Beside `welcome` it is what was said last, up to `sweepMs` ago.
    const [frame] = effect.frames
    if (frame?.[0] !== nativeTags.freshness) return
    if (!effect.to.some((id) => this.#natives.has(id))) return
    const message = decodeNodeMessage(frame)
    if (message.type === "freshness") this.#check(simNode, message.peers)
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
    const lacksOf = new Map<NodeId | undefined, number>()
    for (const told of this.#links.get(simNode)?.values() ?? []) {
      // Of two links with one name, of which one is about to go, it may mean either.
      const other = lacksOf.get(told.peer) ?? Infinity
      lacksOf.set(told.peer, Math.min(other, lackOf(told, simNode)))
    }
    for (const { node: peer, linked, behind } of peers) {
      const lacks = lacksOf.get(peer) ?? 0
      demand(!linked || behind >= lacks, INVARIANT, () => {
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
  if (message.type !== "hello" && message.type !== "vector") return
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
