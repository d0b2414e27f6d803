/**
 * Everything the client core learns from the world. A driver hands inputs to `step` one at a
 * time and carries out the effects of one before it hands in the next.
 */
import type { ConnectionId, DocumentId } from "../base/index.ts"
import type { StorageResult } from "../ports/index.ts"
import type { Resume } from "../protocol/index.ts"
import type { HigherTier } from "./tier-positions.ts"

export type ClientInput =
  /**
   * The app holds the document; `resume` says what its replica has already. The replica has to
   * have the document's pending updates (`opening`), because nodes don't send those back.
   * `generation`: that of what else it has (`DocumentStatus.generation`); 0: nothing. `stored`:
   * what it has from storage (`opening`).
   */
  | {
      readonly type: "open-document"
      readonly document: DocumentId
      readonly generation: number
      readonly resume: Resume
      readonly stored?: readonly Uint8Array[]
    }
  /** The app lets go. Pending updates are still sent. */
  | { readonly type: "close-document"; readonly document: DocumentId }
  /**
   * The app wants no copy of it here, nor anything that was typed there; nothing happens while it
   * is held. What is on its way to a node may get there. Rule [C13].
   */
  | { readonly type: "remove-document"; readonly document: DocumentId }
  /**
   * The app changed its replica; `bytes` is an engine update, owned by the core from now on.
   * `generation`: that of a replica which the core may not know; 0 or none: of what is there. [R7]
   */
  | {
      readonly type: "local-update"
      readonly document: DocumentId
      readonly bytes: Uint8Array
      readonly generation?: number
      /** A replica that is opened begins without it until it is in storage. [H2] */
      readonly withheld?: boolean
    }
  /** The answer to `node-summary`: what the replica has and the node lacks. */
  | { readonly type: "difference"; readonly document: DocumentId; readonly bytes: Uint8Array }
  /** The answer to `compact`: the whole replica, encoded after all that was handed in. */
  | { readonly type: "compacted"; readonly document: DocumentId; readonly state: Uint8Array }
  /** A `deliver` effect could not be applied to the replica. */
  | { readonly type: "deliver-failed"; readonly document: DocumentId; readonly message: string }
  /** Presence of this client in an open document: UTF-8 JSON, `null` to leave. */
  | {
      readonly type: "local-presence"
      readonly document: DocumentId
      /** Unique among the document's clients; for Yjs the Y.Doc's `clientID`. */
      readonly client: number
      readonly state: Uint8Array
      /** Another client may have said it before, with clocks up to this one. */
      readonly above?: number
    }
  | { readonly type: "socket-opened"; readonly socket: ConnectionId }
  /** Also when it never opened. `code` 1006 if the other side gave none. */
  | {
      readonly type: "socket-closed"
      readonly socket: ConnectionId
      readonly code: number
      readonly reason: string
    }
  | { readonly type: "frame"; readonly socket: ConnectionId; readonly bytes: Uint8Array }
  /** The answer to `fetch-token`. */
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "token-failed"; readonly message: string }
  /** The app has another token to give, or wants no back-off for want of one any more. */
  | { readonly type: "refresh-token" }
  /** The network came back or the page became visible: don't sit out the back-off. */
  | { readonly type: "connect-now" }
  | { readonly type: "go-offline" }
  /** Connects; also the first time, and after a permanent close code. */
  | { readonly type: "go-online" }
  /** The one write that is under way is done. */
  | { readonly type: "stored"; readonly result: StorageResult }
  /** The app has taken care of a rejected update. */
  | { readonly type: "dismiss-rejected"; readonly seq: number }
  /** The app wants it tried again; nothing happens if `retryOf` says so. Rule [C3]. */
  | { readonly type: "retry-rejected"; readonly seq: number }
  /** From now on acks of this tier are of interest too. */
  | { readonly type: "want-tier"; readonly tier: HigherTier }
  /** The moment of `nextDeadline` has come. Early or late ones do no harm. */
  | { readonly type: "deadline" }
  /** The app is done: closes the socket; no input has an effect afterwards. */
  | { readonly type: "stop" }

/** What concerns no connection. */
type DocumentInput =
  | "open-document"
  | "close-document"
  | "remove-document"
  | "local-update"
  | "difference"
  | "deliver-failed"
  | "compacted"
  | "local-presence"
  | "stored"
  | "dismiss-rejected"
  | "retry-rejected"
  | "want-tier"

export type ConnectionInput = Exclude<ClientInput, { readonly type: DocumentInput }>

export type LocalUpdate = Omit<Extract<ClientInput, { readonly type: "local-update" }>, "type">
