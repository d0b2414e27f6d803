/**
 * A document as one client session holds and shows it: the replica, what the replica is known to
 * hold, what the session last said about it, and the cursors it shows.
 */
import { utf8Decode } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentStatus } from "@causeway/crdt/client"
import type { VersionVector } from "@causeway/crdt/clock"
import type { Engine } from "@causeway/crdt/engines"
import type { PresenceEntry } from "@causeway/crdt/protocol"
import type { ReplicaView } from "./checkers/client-view.ts"
import { Coverage, opsOf } from "./checkers/coverage.ts"
import type { Replica } from "./replica/replica.ts"
import type { Session } from "./writer.ts"

/** Whether a node has all that was typed there, for all that the client says. */
export function isAtNode(session: Session | undefined): boolean {
  const savedTo = session?.status?.savedTo
  return savedTo === "node" || savedTo === "quorum" || savedTo === "all"
}

export class OpenDocument implements Session {
  readonly replica: Replica
  readonly view: ReplicaView
  status: DocumentStatus | undefined
  /** False between a close and the open that follows it. */
  held = true
  /** Whether somebody is to look at what was delivered. */
  looksSoon = false
  readonly #cursors = new Map<number, string>()

  constructor(replica: Replica, view: ReplicaView) {
    this.replica = replica
    this.view = view
  }

  get document(): DocumentId {
    return this.replica.document
  }

  get current(): boolean {
    return this.held && this.status?.freshness.state === "live"
  }

  get cursors(): ReadonlyMap<number, string> {
    return this.#cursors
  }

  get ownCursor(): string | undefined {
    return this.#cursors.get(this.replica.presenceClient)
  }

  present(state: string): void {
    this.#cursors.set(this.replica.presenceClient, state)
  }

  onPresence(entries: readonly PresenceEntry[]): void {
    for (const { client, state } of entries) {
      const json = utf8Decode(state)
      if (json === "null") this.#cursors.delete(client)
      else this.#cursors.set(client, json)
    }
  }

  /** Takes what storage has, up to its resume point; gives what the CRDT made by itself at that. */
  begin(updates: readonly Uint8Array[], resume: VersionVector | undefined): Uint8Array[] {
    for (const bytes of updates) this.view.add(bytes)
    if (resume !== undefined) this.view.onResume(resume)
    return this.replica.apply(updates)
  }

  /** What it has beyond `summary` and `outgoing`. */
  lacking(
    engine: Engine,
    summary: Uint8Array,
    outgoing: readonly Uint8Array[],
  ): Uint8Array | undefined {
    const bytes = this.replica.difference(summary)
    const { added } = bytes.length === 0 ? { added: [] } : opsOf(engine, bytes)
    const underWay = new Coverage()
    for (const update of outgoing) underWay.add(opsOf(engine, update))
    return underWay.has({ added, deleted: [] }) ? undefined : bytes
  }

  onClosed(): void {
    this.held = false
    this.status = undefined
    for (const client of this.#cursors.keys()) {
      if (client !== this.replica.presenceClient) this.#cursors.delete(client)
    }
  }
}
