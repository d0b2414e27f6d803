/**
 * A process that ends in order, or for an opening anew, ends when everything it gave to its disk is
 * decided: what it accepted is durable by then, or its writers were told that it is not. A crash
 * may leave an append undecided; nothing else may.
 */
import type { Effect, Input } from "@causeway/crdt/node"
import type { SimNode } from "../sim-node.ts"
import { demand } from "../violation.ts"
import type { Watcher } from "../watcher.ts"
import type { Invariant } from "./invariant.ts"

class OrderlyStop implements Watcher {
  /** Batches that are on their way to each node's disk. */
  readonly #appending = new Map<SimNode, Set<number>>()

  onNodeEnded(node: SimNode): void {
    this.#appending.delete(node)
  }

  onNodeInput(node: SimNode, input: Input): void {
    if (input.type === "committed") this.#appending.get(node)?.delete(input.batch)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    if (effect.type === "append") {
      const batches = this.#appending.get(node)
      if (batches === undefined) this.#appending.set(node, new Set([effect.batch]))
      else batches.add(effect.batch)
    }
    if (effect.type !== "stopped" && effect.type !== "reopen") return
    const undecided = this.#appending.get(node)?.size ?? 0
    demand(undecided === 0, INVARIANT, () => `${node.node} ends while its disk is still at work`)
  }
}

const INVARIANT = "orderly-stop"

export const orderlyStop: Invariant = {
  name: INVARIANT,
  explain: "a node that ends in order waits until all that it accepted is decided",
  watch: () => new OrderlyStop(),
}
