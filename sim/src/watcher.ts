/**
 * What happens in a run, told at the moment it happens to everybody who watches: the oracle,
 * every invariant with a memory of its own, the timeline behind `show`. Watchers only look; what
 * they hear must not change what happens next. One that sees a promise broken throws a Violation.
 */
import type { ClientId, ConnectionId, DocumentId, Millis } from "@causeway/crdt/base"
import type { Effect, Input } from "@causeway/crdt/node"
import type { AppendBatch } from "@causeway/crdt/ports"
import type { ClientDisk } from "./client-disk.ts"
import type { Direction, HostId } from "./reachability.ts"
import type { SimNode } from "./sim-node.ts"
import type { SimWriter } from "./writer.ts"

/**
 * `safety`: faults and writes. `core`: no more of either; some nodes are well and linked, the
 * others stay as broken as they are. `whole`: everything is well.
 */
export type Phase = "safety" | "core" | "whole"

/** What happened to durable bytes other than an append; `renewed` is the store's own doing. */
export type DiskChange =
  /** Everything is gone. */
  | "wiped"
  /** The database is as it was some time ago, the boot record beside it is not. */
  | "restored-database"
  /** Everything is as it was some time ago. */
  | "restored-folder"
  /** It now holds what another node's disk held. */
  | "cloned"
  /** Some records are not what was written. */
  | "damaged"
  /** An opening in doubt started a fresh epoch: origins may end earlier, entries have new dots. */
  | "renewed"

export interface Watcher {
  /** A local edit happened; called before anything of it is stored or sent. */
  onWrite?(writer: SimWriter, document: DocumentId, token: string, update: Uint8Array): void
  /** A writer's own storage holds an update of its own. */
  onStored?(document: DocumentId, update: Uint8Array, disk: ClientDisk): void
  /** A tab sends its node what that lacks of a document; it may be what was sent to another. */
  onDifference?(writer: SimWriter, document: DocumentId, update: Uint8Array): void
  /** A writer's app was told that what it typed in its first `writes` updates is saved. */
  onSaved?(writer: SimWriter, document: DocumentId, tier: "local" | "node", writes: number): void
  /** A replica was given what others wrote. */
  onDelivered?(writer: SimWriter, document: DocumentId, updates: readonly Uint8Array[]): void
  /** A writer closed a document, and its replica is gone. */
  onLetGo?(writer: SimWriter, document: DocumentId): void
  /** A writer gave up what it wrote in a document and no node acked. */
  onDiscarded?(writer: SimWriter, document: DocumentId, client: ClientId | undefined): void
  /** A writer's process ended; its storage may be gone as well. */
  onForgotten?(writer: SimWriter, storage: "kept" | "lost"): void
  /** A node closed a well-behaved client for good. */
  onRefused?(writer: SimWriter, code: number): void
  /** A writer's connection to a node came up; undefined: it went down. */
  onConnected?(writer: SimWriter, node: HostId | undefined): void
  /** A batch is on that node's disk from now on. */
  onDurable?(node: HostId, batch: AppendBatch, firstSeq: number): void
  /** The durable state of a node was changed, by a fault behind its back or by an opening. */
  onDiskChanged?(node: HostId, change: DiskChange): void
  onNodeStarted?(node: SimNode): void
  onNodeInput?(node: SimNode, input: Input): void
  onNodeEffect?(node: SimNode, effect: Effect): void
  /** An input and all its effects are done. */
  onNodeStepped?(node: SimNode): void
  /** `crashed`: without a warning, else in order. */
  onNodeEnded?(node: SimNode, how: "crashed" | "stopped"): void
  /** A frame arrived at a host's process, whoever sent it. */
  onArrived?(from: HostId, to: HostId, connection: ConnectionId, frame: Uint8Array): void
  onCut?(directions: readonly Direction[]): void
  onHealed?(directions: readonly Direction[]): void
  /** A fault began or ended. One without an end only begins. */
  onFault?(fault: string, state: "begins" | "ends"): void
  onPhase?(phase: Phase): void
  /** Every `TICK_MS` of virtual time. */
  onTick?(nowMs: Millis): void
  /** Everything is well, level and at rest: the end of a run without a violation. */
  onRest?(): void
}
