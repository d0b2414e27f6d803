/**
 * All a node core ever does, as data, in causal order. A driver carries effects out in exactly
 * this order and reports what they lead to as inputs.
 */
import type { ConnectionId, DocumentId, Millis, NodeId, OriginId } from "../base/index.ts"
import type { CloseReason, RejectCode } from "../protocol/index.ts"
import type { AppendBatch, ReadFailureCode, ReadQuery, ReopenDoubt } from "../ports/index.ts"
import type { Distrust } from "./dials.ts"
import type { AuthFailure } from "./greeting.ts"
import type { Reply } from "./input.ts"
import type { Job } from "./job.ts"
import type { PartitionReport } from "./partition-report.ts"
import type { PresenceFault } from "./presence.ts"

export type Effect =
  /**
   * Send the same frames, in order, to each of these connections. Frames may be shared between
   * effects: a transport frames each once. Nobody changes their bytes.
   */
  | {
      readonly type: "send"
      readonly to: readonly ConnectionId[]
      readonly frames: readonly Uint8Array[]
    }
  | { readonly type: "close"; readonly connection: ConnectionId; readonly reason: CloseReason }
  /** At most one is under way at a time. Answer: `committed`. */
  | { readonly type: "append"; readonly batch: number; readonly entries: AppendBatch }
  /** Answer: `read-done`. */
  | { readonly type: "read"; readonly read: number; readonly query: ReadQuery }
  /** CPU-heavy work, off the main thread where it pays: `runJob`. Answer: `job-done`. */
  | { readonly type: "job"; readonly job: number; readonly work: Job }
  /** One at a time for each connection. Answer: `token-checked`. Rules [N22] [N23]. */
  | { readonly type: "check-token"; readonly connection: ConnectionId; readonly token: string }
  /** Connect to a peer. Answer: `opened` with endpoint `link-dialled`, or `dial-failed`. */
  | { readonly type: "dial"; readonly address: string }
  | { readonly type: "reply"; readonly command: number; readonly reply: Reply }
  | { readonly type: "emit"; readonly event: NodeEvent }
  /** All is durable and every connection told: the process may end. Follows `stop`. */
  | { readonly type: "stopped" }
  /**
   * The log is in doubt. This core is over, its connections are closed: close the store, open it
   * with `doubt` and start a new core on it. The last effect a core ever has.
   */
  | { readonly type: "reopen"; readonly doubt: ReopenDoubt }

/** What happened, for logs and metrics. Never needed for correctness. */
export type NodeEvent =
  | {
      readonly type: "session-opened"
      readonly connection: ConnectionId
      readonly protocol: SessionProtocol
    }
  | {
      readonly type: "session-closed"
      readonly connection: ConnectionId
      readonly protocol: SessionProtocol
    }
  | {
      readonly type: "connection-refused"
      readonly connection: ConnectionId
      readonly reason: CloseReason
      readonly detail: string
    }
  | {
      readonly type: "update-rejected"
      readonly connection: ConnectionId
      readonly code: RejectCode
    }
  | {
      readonly type: "update-pending"
      readonly connection: ConnectionId
      readonly document: DocumentId
    }
  | {
      readonly type: "committed"
      readonly own: number
      readonly adopted: number
      readonly bytes: number
      readonly tookMs: number
    }
  /** Once per commit; an update counts once for each session that it was sent to. */
  | { readonly type: "delivered"; readonly updates: number }
  | { readonly type: "store-failed"; readonly code: string; readonly message: string }
  | { readonly type: "store-recovered" }
  /** The core ends: its store is to be opened anew. */
  | { readonly type: "store-in-doubt"; readonly why: ReopenDoubt["why"] }
  /** A document's entries are in its snapshot now; bytes of what was folded and what came of it. */
  | {
      readonly type: "folded"
      readonly document: DocumentId
      readonly entries: number
      readonly bytes: number
      readonly snapshotBytes: number
    }
  /** Logs begin here now. */
  | { readonly type: "truncated"; readonly floors: readonly (readonly [OriginId, number])[] }
  /** It was to be read back before what it holds is deleted from the log; that stays there. */
  | { readonly type: "snapshot-unreadable"; readonly document: DocumentId }
  /** An operator said so on this node. */
  | {
      readonly type: "document-deleted" | "document-created"
      readonly document: DocumentId
    }
  | { readonly type: "read-failed"; readonly document: DocumentId; readonly message: string }
  | { readonly type: "updates-unreadable"; readonly document: DocumentId; readonly count: number }
  | { readonly type: "link-up"; readonly peer: NodeId; readonly connection: ConnectionId }
  | { readonly type: "link-down"; readonly peer: NodeId; readonly connection: ConnectionId }
  | {
      readonly type: "link-refused"
      readonly reason: CloseReason
      readonly detail: string
      /** Not for every attempt again. */
      readonly isNews: boolean
    }
  /** The node that was dialled there refused this one for who it is. */
  | {
      readonly type: "refused-by-peer"
      readonly address: string
      readonly reason: Distrust
      /** Not for every attempt again. */
      readonly isNews: boolean
    }
  /** Who it says that it is, and where it was dialled if it was. */
  | {
      readonly type: "link-not-authenticated"
      readonly peer: NodeId
      readonly address: string | undefined
      readonly cause: AuthFailure
      /** Not for every attempt again. */
      readonly isNews: boolean
    }
  | {
      readonly type: "healed"
      readonly peer: NodeId
      readonly tookMs: number
      readonly entries: number
    }
  /** What entries amount to that no peer has any more is brought by a peer, page by page. */
  | { readonly type: "transfer-begun"; readonly peer: NodeId; readonly resumed: boolean }
  | { readonly type: "transfer-stopped"; readonly peer: NodeId; readonly detail: string }
  /** A peer can't read the page of documents that it was asked for. */
  | { readonly type: "transfer-refused"; readonly peer: NodeId; readonly code: ReadFailureCode }
  /** This node can't read the page of documents that a peer asked it for, and says so. */
  | {
      readonly type: "transfer-unreadable"
      readonly peer: NodeId
      readonly code: ReadFailureCode
      readonly detail: string
    }
  | {
      readonly type: "transfer-done"
      readonly peer: NodeId
      /** In this life of the node. */
      readonly documents: number
      readonly bytes: number
      readonly tookMs: number
    }
  /** The same entries, another content: on a peer, or (without one) in another order. */
  | {
      readonly type: "divergence-found"
      readonly document: DocumentId
      readonly peer: NodeId | undefined
    }
  | {
      readonly type: "divergence-over"
      readonly document: DocumentId
      readonly peer: NodeId | undefined
    }
  /** A peer is out of reach for longer than a restart takes. */
  | { readonly type: "partition-noticed"; readonly peer: NodeId; readonly sinceMs: Millis }
  | { readonly type: "partition-healed"; readonly report: PartitionReport }
  /** More than one process runs under this node id. */
  | {
      readonly type: "twin-detected"
      readonly node: NodeId
      readonly origins: readonly OriginId[]
    }
  | {
      readonly type: "fork-detected"
      readonly origin: OriginId
      readonly seq: number
      readonly peer: NodeId
    }
  | {
      readonly type: "presence-dropped"
      readonly document: DocumentId
      readonly why: PresenceFault
    }

export type SessionProtocol = "native" | "y-websocket"
