/** What a node knows of each connection; one union member per kind of client. */
import type { ClientId, ConnectionId, DocumentId, Millis } from "../base/index.ts"
import type { Hello } from "../protocol/index.ts"
import type { Admission } from "./admission.ts"
import type { Session } from "./sessions.ts"

/** A full socket: since when. */
type Congestion = { readonly sinceMs: Millis }

export type NativePhase =
  | { readonly phase: "greeting" }
  /** Its token is being checked. */
  | { readonly phase: "checking"; readonly hello: Hello; readonly version: number }
  /** Hello came; the client's highest logged update is being looked up. */
  | { readonly phase: "welcoming"; readonly client: ClientId }
  | { readonly phase: "ready"; readonly client: ClientId }

/** Numbers after the one and before the other. */
export type NumberRange = { readonly after: number; readonly before: number }

export type NativeConnection = {
  readonly kind: "native"
  readonly id: ConnectionId
  readonly openedMs: Millis
  heardMs: Millis
  congestion: Congestion | undefined
  phase: NativePhase
  admission: Admission
  /** A token that came behind the first is being checked; what came meanwhile. Rule [N23]. */
  isChecking: boolean
  nextToken: string | undefined
  /** Of the native protocol; 0 until it is welcomed. */
  version: number
  /** It wants to know where its updates are logged. Rule [N16]. */
  isTold: boolean
  /**
   * The last number that lacked its predecessors: what comes in its place leaves out what this node
   * has by now, wherever that is logged. 0 if there is none, or it came.
   */
  repairSeq: number
  /** The only update number that is taken next. */
  nextSeq: number
  /** Everything up to here is acked. */
  ackedSeq: number
  /** Numbers that other nodes acked and this one did not know when it was welcomed. */
  unknown: NumberRange
  /** What it watches, by hash, since it asked for that; `isAnswered`: it was told what changed. */
  watching: { readonly hashes: Set<number>; isAnswered: boolean } | undefined
  /** The frame that says how far it has everything, as it was sent last. */
  caughtUp: Uint8Array | undefined
  /** Bytes accepted and not acked. */
  unackedBytes: number
  readonly channels: Map<number, Session>
  /** Channels of documents that were deleted: what comes on them is refused for good. */
  readonly deleted: Set<number>
  /** What is open on its channels: each document on one. */
  readonly documents: Set<DocumentId>
}

export type StockConnection = {
  readonly kind: "y-websocket"
  readonly id: ConnectionId
  readonly session: Session
  readonly admission: Admission
  congestion: Congestion | undefined
}

export type ClientConnection = NativeConnection | StockConnection
