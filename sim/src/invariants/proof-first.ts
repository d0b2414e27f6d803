/**
 * Where a cluster has a secret, a node says nothing to a peer but hello, and the proof it owes as
 * the dialler, before the peer has shown that it knows the secret [L12]. Reckoned from the frames
 * at the node's end alone: what its core makes of a proof is not asked.
 */
import { DecodeError } from "@causeway/crdt/base"
import type { ConnectionId } from "@causeway/crdt/base"
import { isSameProof, proofOf } from "@causeway/crdt/node"
import type { Effect, Input } from "@causeway/crdt/node"
import { linkTags } from "@causeway/crdt/protocol"
import { readLinkFrame } from "../link-frames.ts"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { World } from "../world.ts"
import type { Invariant } from "./invariant.ts"

type LinkEnd = {
  readonly node: SimNode
  readonly isDialler: boolean
  ours: Uint8Array | undefined
  theirs: Uint8Array | undefined
  hasProved: boolean
}

export class ProofFirst implements Watcher {
  readonly #world: World
  readonly #links = new Map<ConnectionId, LinkEnd>()
  #proved = 0
  #refused = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Proofs that were right, and proofs that were not. */
  get counts(): { readonly proved: number; readonly refused: number } {
    return { proved: this.#proved, refused: this.#refused }
  }

  onNodeEnded(node: SimNode): void {
    for (const [id, end] of this.#links) if (end.node === node) this.#links.delete(id)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (this.#world.hostile.secret === undefined) return
    if (input.type === "opened") {
      const { type } = input.endpoint
      if (type !== "link-accepted" && type !== "link-dialled") return
      const isDialler = type === "link-dialled"
      const unknown = { ours: undefined, theirs: undefined, hasProved: false }
      this.#links.set(input.connection, { node, isDialler, ...unknown })
    } else if (input.type === "closed") this.#links.delete(input.connection)
    else if (input.type === "frame") {
      const link = this.#links.get(input.connection)
      if (link !== undefined) this.#onPeerFrame(link, input.frame)
    }
  }

  #onPeerFrame(link: LinkEnd, frame: Uint8Array): void {
    const { secret } = this.#world.hostile
    if (frame[0] === linkTags.hello) link.theirs ??= frame
    const { ours, theirs } = link
    if (frame[0] !== linkTags.proof || link.hasProved) return
    if (secret === undefined || ours === undefined || theirs === undefined) return
    const [dialler, acceptor] = link.isDialler ? [ours, theirs] : [theirs, ours]
    const role = link.isDialler ? "acceptor" : "dialler"
    link.hasProved = isSameProof(proofIn(frame), proofOf(secret, role, { dialler, acceptor }))
    if (link.hasProved) this.#proved += 1
    else this.#refused += 1
  }

  onNodeEffect({ node }: SimNode, effect: Effect): void {
    if (effect.type !== "send") return
    for (const connection of effect.to) {
      const link = this.#links.get(connection)
      if (link === undefined || link.hasProved) continue
      for (const frame of effect.frames) {
        if (frame[0] === linkTags.hello) link.ours ??= frame
        const isOwed = frame[0] === linkTags.proof && link.isDialler
        demand(frame[0] === linkTags.hello || isOwed, INVARIANT, () => {
          return `${node} says more than hello (${frame[0]}) to a peer that proved nothing`
        })
      }
    }
  }
}

/** Anybody may send anything. */
function proofIn(frame: Uint8Array): Uint8Array {
  try {
    const message = readLinkFrame(frame)
    return message.type === "proof" ? message.proof : new Uint8Array()
  } catch (error) {
    if (error instanceof DecodeError) return new Uint8Array()
    throw error
  }
}

const INVARIANT = "proof-first"

export const proofFirst: Invariant = {
  name: INVARIANT,
  explain: "nothing of the data goes to a peer that has not proved to know the cluster's secret",
  watch: (world) => new ProofFirst(world),
}
