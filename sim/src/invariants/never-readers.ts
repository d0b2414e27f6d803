/**
 * A client whose socket takes nothing loses its connection after `congestedMs`: what a node keeps
 * for it is bounded in time as well [N13]. Measured on the node's own clock, where it looks at
 * such things: at deadlines, every `sweepMs`. Links fall silent instead [L8].
 */
import { limits } from "@causeway/crdt/base"
import type { ConnectionId, Millis } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { Invariant } from "./invariant.ts"

type Client = {
  readonly node: SimNode
  /** On the node's clock; undefined while its socket takes what it is sent. */
  fullSinceMs: Millis | undefined
}

class NeverReaders implements Watcher {
  readonly #clients = new Map<ConnectionId, Client>()
  readonly #stopping = new Set<SimNode>()
  /** Who handles a deadline, and when it began to. */
  #looking: { readonly node: SimNode; readonly atMs: Millis } | undefined

  onNodeEnded(node: SimNode): void {
    this.#stopping.delete(node)
    for (const [id, client] of this.#clients) if (client.node === node) this.#clients.delete(id)
  }

  onNodeInput(node: SimNode, input: Input): void {
    switch (input.type) {
      case "opened": {
        const { type } = input.endpoint
        if (type !== "native" && type !== "y-websocket") return
        this.#clients.set(input.connection, { node, fullSinceMs: undefined })
        return
      }
      case "congested":
      case "drained": {
        const client = this.#clients.get(input.connection)
        if (client === undefined) return
        const isFull = input.type === "congested"
        client.fullSinceMs = isFull ? (client.fullSinceMs ?? node.clock.nowMs) : undefined
        return
      }
      case "closed":
        this.#clients.delete(input.connection)
        return
      case "stop":
        this.#stopping.add(node)
        return
      case "deadline":
        this.#looking = { node, atMs: node.clock.nowMs }
        return
      default:
    }
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type === "close") this.#clients.delete(effect.connection)
    if (effect.type === "reopen") this.#stopping.add(node)
  }

  onNodeStepped(node: SimNode): void {
    const looking = this.#looking
    this.#looking = undefined
    if (looking?.node !== node || this.#stopping.has(node)) return
    for (const [id, { node: owner, fullSinceMs = Infinity }] of this.#clients) {
      if (owner !== node) continue
      const fullMs = looking.atMs - fullSinceMs
      demand(fullMs <= limits.congestedMs + 2 * limits.sweepMs, INVARIANT, () => {
        return `${node.node} keeps ${id}, whose socket is full for ${Math.round(fullMs)} ms`
      })
    }
  }
}

const INVARIANT = "never-readers"

export const neverReaders: Invariant = {
  name: INVARIANT,
  explain: "a client that never reads loses its connection in time",
  watch: () => new NeverReaders(),
}
