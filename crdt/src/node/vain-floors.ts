/**
 * Peers that said of an origin that its log begins behind what is held here, and whose documents
 * then stood for nothing of it. Who says so again begins no transfer for a while: whoever has the
 * cluster's secret can claim any floor. Kept by node, as a link is soon another one. Rule [K8].
 */
import { limits } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"

type Pause = { pauseMs: Millis; untilMs: Millis }
type Peer = { untilMs: Millis; readonly origins: Map<OriginId, Pause> }

export class VainFloors {
  /** In the order in which they were last in vain; at most `linksMax`. */
  readonly #peers = new Map<NodeId, Peer>()

  /** A transfer from `node` is done, and brought nothing of `origins`. */
  note(nowMs: Millis, node: NodeId, origins: readonly OriginId[]): void {
    if (origins.length === 0) return
    const peer = this.#peers.get(node) ?? { untilMs: 0, origins: new Map<OriginId, Pause>() }
    this.#peers.delete(node)
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size < limits.linksMax) break
      this.#peers.delete(oldest)
    }
    this.#peers.set(node, peer)
    // Or it would claim another origin each time.
    peer.untilMs = nowMs + limits.transferPatienceMs
    for (const origin of origins) {
      const { pauseMs = limits.transferPatienceMs / 2 } = peer.origins.get(origin) ?? {}
      const next = Math.min(2 * pauseMs, limits.transferVainMsMax)
      peer.origins.delete(origin)
      peer.origins.set(origin, { pauseMs: next, untilMs: nowMs + next })
    }
    for (const oldest of peer.origins.keys()) {
      if (peer.origins.size <= limits.originsMax) break
      peer.origins.delete(oldest)
    }
  }

  /** Whether what `node` says of where the log of `origin` begins counts for nothing now. */
  isPaused(nowMs: Millis, node: NodeId, origin: OriginId): boolean {
    const peer = this.#peers.get(node)
    if (peer === undefined) return false
    return nowMs < peer.untilMs || nowMs < (peer.origins.get(origin)?.untilMs ?? 0)
  }
}
