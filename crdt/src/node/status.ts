/** What a node says about itself: plain data for HTTP, logs and the simulator's checks. */
import type { Millis, NodeId, OriginId } from "../base/index.ts"

export type PeerStatus = {
  /** Undefined until the peer has said hello once. */
  readonly node: NodeId | undefined
  /** As configured; undefined for a peer that only dials us. */
  readonly address: string | undefined
  readonly state: "linked" | "connecting" | "waiting"
  /** When the link came up or went down last. */
  readonly sinceMs: Millis
  /** Entries the peer is known to have that this node lacks. */
  readonly behind: number
}

export type NodeStatus = {
  readonly node: NodeId
  readonly origin: OriginId
  readonly cluster: string
  readonly vector: Readonly<Record<OriginId, number>>
  readonly ready: boolean
  readonly store: "ok" | "failing"
  readonly sessions: number
  readonly documents: number
  readonly peers: readonly PeerStatus[]
}
