/** Everything the client core wants done, in causal order. */
import type { ConnectionId, DecodeErrorCode, DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
import type { RejectedUpdate, StorageWrite, StoredUpdate } from "../ports/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import type { ConnectionStatus, DocumentStatus, PendingStatus } from "./status.ts"

/** For logs and counters; nothing depends on them. */
export type ClientEvent =
  | { readonly type: "malformed-frame"; readonly code: DecodeErrorCode; readonly message: string }
  /** A well-formed frame that says what can't be, such as an ack for something never sent. */
  | { readonly type: "protocol-violation"; readonly message: string }
  | { readonly type: "storage-failed"; readonly message: string }
  | { readonly type: "resend"; readonly fromSeq: number; readonly reason: string }
  /** The node knows update numbers this outbox never gave: storage was rolled back. */
  | { readonly type: "client-renewed"; readonly loggedSeq: number; readonly sentSeq: number }
  | { readonly type: "presence-too-large"; readonly document: DocumentId; readonly bytes: number }

export type ClientEffect =
  /** Open a WebSocket; answered by `socket-opened` or `socket-closed`. */
  | { readonly type: "connect"; readonly socket: ConnectionId; readonly url: string }
  | { readonly type: "send"; readonly socket: ConnectionId; readonly frame: Uint8Array }
  /** Close it (or give up opening it). Its later inputs are ignored. Codes browsers allow. */
  | {
      readonly type: "disconnect"
      readonly socket: ConnectionId
      readonly code: number
      readonly reason: string
    }
  /** Answered by `token` or `token-failed`. */
  | { readonly type: "fetch-token" }
  /** One at a time; answered by `stored`. */
  | { readonly type: "store"; readonly writes: readonly StorageWrite[] }
  /** Apply to the replica, at once; then everything up to `resume` is held. Rule [C5]. */
  | {
      readonly type: "deliver"
      readonly document: DocumentId
      readonly updates: readonly Uint8Array[]
      readonly resume: VersionVector
    }
  /**
   * The stored copy is to be rewritten: answer with `compacted`, or not at all if the replica can't
   * be encoded. Rule [C9].
   */
  | { readonly type: "compact"; readonly document: DocumentId }
  /** Acks of own updates moved the document's resume point. Rule [C5]. */
  | { readonly type: "resume"; readonly document: DocumentId; readonly resume: VersionVector }
  /**
   * What the node had when it opened the document. Answer with `difference` if the replica has
   * more than `summary` and `outgoing` (own updates that are on their way anyway) cover.
   */
  | {
      readonly type: "node-summary"
      readonly document: DocumentId
      readonly summary: Uint8Array
      readonly outgoing: readonly Uint8Array[]
    }
  /** Presence of others: newer states only; `null` means gone. */
  | {
      readonly type: "presence"
      readonly document: DocumentId
      readonly entries: readonly PresenceEntry[]
    }
  /** Kept in storage until `dismiss-rejected` or `retried`. Rule [C3]. */
  | { readonly type: "rejected"; readonly update: RejectedUpdate }
  /**
   * Off the shelf again, pending under another number: its document was opened, or the app wants
   * it. A replica that is open is to have it. Rule [C3].
   */
  | { readonly type: "retried"; readonly seq: number; readonly update: StoredUpdate }
  | { readonly type: "connection-status"; readonly status: ConnectionStatus }
  | {
      readonly type: "document-status"
      readonly document: DocumentId
      readonly status: DocumentStatus
    }
  | { readonly type: "pending-status"; readonly status: PendingStatus }
  | { readonly type: "emit"; readonly event: ClientEvent }
