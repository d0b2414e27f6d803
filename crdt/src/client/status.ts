/**
 * What the client core says about itself. Connection and save status are separate on purpose: an
 * app that is offline has saved what it typed (locally), and one that is connected may not have.
 */
import type { Millis, NodeId } from "../base/index.ts"
import type { Access, DocumentCloseCode, PeerFreshness } from "../protocol/index.ts"

/** Why a connection ended: the close code if there was one, and a sentence for a developer. */
export type Why = { readonly code: number | undefined; readonly reason: string }

export type ConnectionStatus =
  | { readonly state: "connecting"; readonly url: string | undefined }
  | {
      readonly state: "connected"
      readonly url: string
      readonly node: NodeId
      /** The node's name for this connection, as its logs have it. */
      readonly session: string
      /** How far behind that node may be, per peer; undefined until it said so. Rule [N12]. */
      readonly peers: readonly PeerFreshness[] | undefined
    }
  | {
      readonly state: "offline"
      readonly why: Why
      /** When the next attempt starts; undefined if the app asked to be offline. */
      readonly retryAtMs: Millis | undefined
    }
  /**
   * A token is wanted, and could not be had, or the node did not take it (`why.code` 4401); the
   * driver is asked again at `retryAtMs`.
   */
  | { readonly state: "needs-token"; readonly why: Why; readonly retryAtMs: Millis }
  /** Stopped by the app, or for good by a permanent close code. */
  | { readonly state: "closed"; readonly why: Why }

/**
 * How far everything typed in a document so far has been saved. Never "node" or more while a
 * rejected update stands in the way, nor before a node has served the document; "quorum" and "all"
 * only once they were asked for.
 */
export type SavedTo = "memory" | "local" | "node" | "quorum" | "all"

/** A member that is not known to hold what waits, and since when it is linked, or not reached. */
export type WaitingFor = {
  readonly member: string
  readonly linked: boolean
  readonly sinceMs: Millis
}

/** Whether all that nodes acked of a document has come to a tier, and if not, why. */
export type TierState =
  | { readonly state: "unasked" }
  | { readonly state: "saved" }
  /** `waitingFor` is empty until the node has said whom it waits for. */
  | {
      readonly state: "pending"
      readonly connected: boolean
      readonly waitingFor: readonly WaitingFor[]
    }
  /** Where it was logged nobody has it any more: what replicas have is sent anew. */
  | { readonly state: "lost" }
  /** The node is of an older build and knows no tiers. */
  | { readonly state: "unknown" }

/** How old what the document shows may be. */
export type Freshness =
  /** Nothing has come from a node yet. */
  | { readonly state: "unknown" }
  /** It showed what its node had until then. */
  | { readonly state: "stale"; readonly sinceMs: Millis }
  /** It shows what its node has; how far behind that may be stands in the connection status. */
  | { readonly state: "live" }

/**
 * What stands in the way of a document. `apply-failed`: the driver refused what the node sent.
 * `update-rejected`: nodes won't take one of its updates, and later ones may depend on it.
 */
export type DocumentError = {
  readonly code: DocumentCloseCode | "apply-failed" | "update-rejected"
  readonly message: string
  /** True if the core tries again by itself. */
  readonly retryable: boolean
}

export type DocumentStatus = {
  /** Updates that no node has acked yet. */
  readonly pending: number
  readonly savedTo: SavedTo
  readonly quorum: TierState
  readonly all: TierState
  readonly freshness: Freshness
  /** What the node allows; undefined until it said so. */
  readonly access: Access | undefined
  /** Which one of its name the replica is of; 0 until a node has opened it. */
  readonly generation: number
  readonly error: DocumentError | undefined
}

/**
 * What became of the wish to try a rejected update again: it is `pending`; or it is `gone` from the
 * shelf, dismissed or tried again already; or no node would take it, and it stays there.
 */
export type RetryOutcome = "pending" | "gone" | "document-deleted" | "invalid-update" | "too-large"

export type PendingStatus = {
  readonly count: number
  readonly bytes: number
  /** Past `outboxBytesMax`: the app should ask its user to stop; what is typed is still kept. */
  readonly full: boolean
  /** False while storage refuses writes: then nothing new is sent. Rule [C1]. */
  readonly storageHealthy: boolean
}
