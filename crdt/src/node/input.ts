/**
 * All a node core ever learns. A driver turns the world into these, one at a time, in the order
 * in which things happened.
 */
import type { ConnectionId, DocumentId, NodeId, OriginId } from "../base/index.ts"
import type { Json } from "../engines/index.ts"
import type { AppendResult, ReadResult } from "../ports/index.ts"
import type { TokenCheck } from "./admission.ts"
import type { LifeRefusal } from "./deletions.ts"
import type { JobResult } from "./job.ts"
import type { RetireRefusal } from "./membership.ts"

/** Which of the node's doors a connection came through. */
export type Endpoint =
  | { readonly type: "native" }
  /** `room` is what stands behind `/yjs/`, percent-decoded; undefined if that is not UTF-8. */
  | {
      readonly type: "y-websocket"
      readonly room: string | undefined
      /** Of its token, where tokens are checked. */
      readonly check?: TokenCheck
    }
  /** A peer that dialled us. */
  | { readonly type: "link-accepted" }
  /** A peer we dialled, by its address as configured. */
  | { readonly type: "link-dialled"; readonly address: string }

export type Input =
  | { readonly type: "opened"; readonly connection: ConnectionId; readonly endpoint: Endpoint }
  /**
   * The connection is gone, whoever closed it. Comes once, and nothing after it. `code`: what the
   * other side said as it closed, if it did.
   */
  | { readonly type: "closed"; readonly connection: ConnectionId; readonly code?: number }
  /** `frame` may be reused by the driver afterwards: the core copies what it keeps. */
  | { readonly type: "frame"; readonly connection: ConnectionId; readonly frame: Uint8Array }
  /** A frame over `frameBytesMax`, or a text frame: the transport did not even read it. */
  | {
      readonly type: "bad-frame"
      readonly connection: ConnectionId
      readonly why: "too-large" | "malformed"
    }
  /** The socket holds more unsent bytes than its budget; and: it holds few again. */
  | { readonly type: "congested"; readonly connection: ConnectionId }
  | { readonly type: "drained"; readonly connection: ConnectionId }
  /** A dial effect did not lead to a connection. */
  | { readonly type: "dial-failed"; readonly address: string }
  | { readonly type: "committed"; readonly batch: number; readonly result: AppendResult }
  | { readonly type: "read-done"; readonly read: number; readonly result: ReadResult }
  | { readonly type: "job-done"; readonly job: number; readonly result: JobResult }
  /** If the connection is gone meanwhile, nothing happens. */
  | {
      readonly type: "token-checked"
      readonly connection: ConnectionId
      readonly check: TokenCheck
    }
  | { readonly type: "command"; readonly command: number; readonly request: Command }
  /** The time of `nextDeadline` has come (or passed). */
  | { readonly type: "deadline" }
  /** Take nothing new, let what is accepted become durable, then close every connection. */
  | { readonly type: "stop" }

/** What an operator or an embedding program asks of a node. */
export type Command =
  | { readonly type: "read-document"; readonly document: DocumentId }
  /** A node will not come back as it was: it is no member any more. */
  | { readonly type: "retire"; readonly node: NodeId }
  /** Of the name, its current generation. */
  | { readonly type: "delete-document"; readonly document: DocumentId }
  /** The name is deleted, and to be used again. */
  | { readonly type: "create-document"; readonly document: DocumentId }

export type Reply =
  | { readonly type: "document"; readonly json: Json }
  | { readonly type: "no-such-document" }
  /** The name's last generation is. */
  | { readonly type: "deleted" }
  /** The record is durable here. */
  | { readonly type: "retired"; readonly origins: readonly OriginId[] }
  | { readonly type: "not-retired"; readonly code: RetireRefusal }
  /** The record is durable here. */
  | { readonly type: "document-deleted" | "document-created"; readonly generation: number }
  | { readonly type: "life-unchanged"; readonly code: LifeRefusal }
  | {
      readonly type: "failed"
      readonly code: "read-failed" | "document-too-large"
      readonly message: string
    }
