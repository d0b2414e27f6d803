/** What a node says about itself: plain data for HTTP, logs and the simulator's checks. */
import { parseNodeId } from "../base/index.ts"
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import type { PeerFreshness } from "../protocol/index.ts"
import type { TwinStatus } from "./twins.ts"
import type { ForkStatus } from "./forks.ts"
import type { Holdings } from "./holdings.ts"
import type { Link } from "./link.ts"
import type { Links } from "./links.ts"
import type { Core } from "./core.ts"
import type { Distrust } from "./dials.ts"
import type { DivergenceStatus } from "./digests.ts"
import type { MembersStatus } from "./members.ts"
import type { PartitionStatus } from "./partitions.ts"
import type { TransferStatus } from "./transfer-in.ts"

export type PeerStatus = {
  /** Undefined until the peer has said hello once. */
  readonly node: NodeId | undefined
  /** As configured; undefined for a peer that only dials us. */
  readonly address: string | undefined
  readonly state: "linked" | "connecting" | "waiting" | "self"
  /** Since when it is linked, or out of reach; the core's start if it was never linked. */
  readonly sinceMs: Millis
  /** Entries the peer is known to have that this node lacks; if it is lost, when last heard. */
  readonly behind: number
  /** Why one side refused the other at the last attempt, if it did for who that is. */
  readonly refused: Distrust | undefined
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
  readonly members: MembersStatus
  /** The split that is on; undefined if all are linked and level. */
  readonly partition: PartitionStatus | undefined
  /** Documents whose content differs though their entries do not. */
  readonly divergences: DivergenceStatus
  /** A state transfer to this node, while it is under way. */
  readonly transfer: TransferStatus | undefined
  /** Origins that linked peers hold otherwise than this node does. */
  readonly forks: readonly ForkStatus[]
  /** Names that are deleted, or were and are used again. */
  readonly deletions: number
  /** Node ids under which more than one process runs, or ran since this one started. */
  readonly twins: readonly TwinStatus[]
}

export function nodeStatus(core: Core, links: Links, isStopping: boolean): NodeStatus {
  const { config, commits, documents, holdings, members } = core
  const store = commits.storeState
  let sessions = 0
  for (const document of documents.all()) sessions += document.sessions.size
  return {
    node: config.node,
    origin: config.origin,
    cluster: config.cluster,
    vector: Object.fromEntries(holdings.vector().entries()),
    ready: store === "ok" && !isStopping,
    store,
    sessions,
    documents: documents.size,
    peers: peerStatus(links, holdings),
    members: members.status(),
    forks: links.forks.status(),
    twins: links.twins.status(),
    deletions: core.lives.size,
    partition: links.partitions.status(),
    divergences: links.digests.status(),
    transfer: links.transferIn.status(),
  }
}

/** Configured peers first, in their order, then those that dialled us, then lost ones of those. */
export function peerStatus(links: Links, holdings: Holdings): PeerStatus[] {
  const peers: PeerStatus[] = []
  const shown = new Set<Link>()
  const named = new Set<NodeId>()
  for (const { address, node, state, refused } of links.dials.all()) {
    if (node !== undefined) named.add(node)
    const link = node === undefined ? undefined : links.linkedTo(node)
    if (link === undefined) {
      const shownState = state.state === "linked" ? "waiting" : state.state
      peers.push({ node, address, state: shownState, refused, ...links.partitions.lost(node) })
      continue
    }
    shown.add(link)
    peers.push({ ...linkedStatus(link, holdings), node, address })
  }
  for (const link of links.all()) {
    if (link.state.state !== "linked" || shown.has(link)) continue
    const { node } = link.state.peer
    peers.push({ ...linkedStatus(link, holdings), node, address: undefined })
  }
  for (const node of links.partitions.status()?.away ?? []) {
    if (named.has(node)) continue
    const lost = links.partitions.lost(node)
    peers.push({ node, address: undefined, state: "waiting", refused: undefined, ...lost })
  }
  return peers
}

function linkedStatus(link: Link, holdings: Holdings) {
  const behind = link.behind(holdings)
  return { state: "linked", sinceMs: link.openedMs, behind, refused: undefined } as const
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
