/** What the driver needs of an open document, whatever its engine. */
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentStatus as CoreStatus } from "@causeway/crdt/client"
import type { PresenceEntry, Resume } from "@causeway/crdt/protocol"

/** What is in the document: its engine's part of a replica. */
export interface Content {
  /** What it has now, for the node to send the rest. */
  resume(): Resume
  /** Applies updates that are not to be sent. @throws if the engine refuses them. */
  apply(updates: readonly Uint8Array[]): void
  /** All it has, as one update. */
  state(): Uint8Array
  /** What it has beyond `summary` and `outgoing`, as one update; undefined if nothing. */
  lacking(summary: Uint8Array, outgoing: readonly Uint8Array[]): Uint8Array | undefined
}

export interface Replica extends Content {
  readonly document: DocumentId
  /** Of what it shows before it is opened, if that is not nothing. [R7] */
  readonly generation?: number
  /** Whether it has what was not handed in, or was refused; or can't say what it has. [C9] */
  isAhead(): boolean
  onPresence(entries: readonly PresenceEntry[]): void
  onStatus(status: CoreStatus): void
  /** The client is done: nothing is sent or received any more. */
  onClosed(): void
}
