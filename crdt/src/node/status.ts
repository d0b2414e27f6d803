/** What a node says about itself: plain data for HTTP, logs and the simulator's checks. */
import { parseNodeId } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import type { PeerFreshness } from "../protocol/index.ts"
import type { Holdings } from "./holdings.ts"
import type { Link } from "./link.ts"
import type { Links } from "./links.ts"

export type PeerStatus = {
  /** Undefined until the peer has said hello once. */
  readonly node: NodeId | undefined
  /** As configured; undefined for a peer that only dials us. */
  readonly address: string | undefined
  readonly state: "linked" | "connecting" | "waiting" | "self"
  /** When that state began. */
  readonly sinceMs: Millis
  /** Entries the peer is known to have that this node lacks; only known while linked. */
  readonly behind: number
}

export type NodeStatus = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly cluster: string
  readonly vector: Readonly<Record<string, number>>
  readonly ready: boolean
  readonly store: "ok" | "failing"
  readonly sessions: number
  readonly documents: number
  readonly peers: readonly PeerStatus[]
}

/** Configured peers first, in their order, then those that dialled us. */
export function peerStatus(links: Links, holdings: Holdings): PeerStatus[] {
  const peers: PeerStatus[] = []
  const shown = new Set<Link>()
  for (const { address, node, state, sinceMs } of links.dials.all()) {
    const link = node === undefined ? undefined : links.linkedTo(node)
    if (link === undefined) {
      const shownState = state.state === "linked" ? "waiting" : state.state
      peers.push({ node, address, state: shownState, sinceMs, behind: 0 })
      continue
    }
    shown.add(link)
    const lag = link.behind(holdings)
    peers.push({ node, address, state: "linked", sinceMs: link.openedMs, behind: lag })
  }
  for (const link of links.all()) {
    if (link.state.state !== "linked" || shown.has(link)) continue
    const { node } = link.state.peer
    const lag = link.behind(holdings)
    const sinceMs = link.openedMs
    peers.push({ node, address: undefined, state: "linked", sinceMs, behind: lag })
  }
  return peers
}

/** The same for clients. A peer that never said hello goes by its address. */
export function peerFreshness(links: Links, holdings: Holdings): PeerFreshness[] {
  const peers: PeerFreshness[] = []
  for (const peer of peerStatus(links, holdings)) {
    const node = peer.node ?? parseNodeId(nameFrom(peer.address ?? ""))
    if (node === undefined || peer.state === "self") continue
    peers.push({ node, linked: peer.state === "linked", behind: peer.behind })
  }
  return peers
}

/** What a name may consist of, as long as a name may be. */
function nameFrom(address: string): string {
  return address.replaceAll(/[^A-Za-z0-9_.-]/g, "-").slice(0, 64)
}
