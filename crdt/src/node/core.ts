/** The parts of a node core that its session and link handlers share. */
import type { ConnectionId, OriginId } from "../base/index.ts"
import type { Commits } from "./commits.ts"
import type { NodeConfig } from "./config.ts"
import type { Cuts } from "./cuts.ts"
import type { Documents } from "./documents.ts"
import type { Holdings } from "./holdings.ts"
import type { Lives } from "./lives.ts"
import type { Members } from "./members.ts"
import type { Jobs } from "./jobs.ts"
import type { OpenDocument } from "./open-document.ts"
import type { PresenceOwner } from "./presence.ts"
import type { PresenceWatch } from "./presence-watch.ts"
import type { ReopenDoubt } from "../ports/index.ts"
import type { PresenceEntry } from "../protocol/index.ts"
import type { Reads } from "./reads.ts"
import type { Turn } from "./turn.ts"
import type { Watches } from "./watches.ts"

export type Core = {
  readonly config: NodeConfig
  readonly holdings: Holdings
  readonly members: Members
  readonly cuts: Cuts
  readonly lives: Lives
  readonly commits: Commits
  readonly documents: Documents
  readonly reads: Reads
  readonly jobs: Jobs
  /** Whether this core may end for such a doubt by now. */
  readonly mayReopen: (turn: Turn, why: ReopenDoubt["why"]) => boolean
  /** Ends this core, if it may: the log is to be opened anew. Rule [E5]. */
  readonly reopen: (turn: Turn, doubt: ReopenDoubt) => void
  /** Connections whose sockets are full: what they become owed waits in the log. */
  readonly congested: Set<ConnectionId>
  readonly presenceWatch: PresenceWatch
  readonly watches: Watches
  /** Takes presence in and passes on what is news. Gives tombstones for a sender that is behind. */
  readonly sharePresence: (
    turn: Turn,
    document: OpenDocument,
    entries: readonly PresenceEntry[],
    owner: PresenceOwner,
  ) => readonly PresenceEntry[]
  /** Passes presence on to sessions, and to peers if `owner` is a connection of ours. */
  readonly broadcastPresence: (
    turn: Turn,
    document: OpenDocument,
    entries: readonly PresenceEntry[],
    owner: PresenceOwner,
  ) => void
}

/** A record of no document became durable here: whoever keeps what such records say is told. */
export function learn(
  { members, cuts, lives }: Pick<Core, "members" | "cuts" | "lives">,
  origin: OriginId,
  record: Uint8Array,
): void {
  members.onDurable(origin, record)
  cuts.onDurable(record)
  lives.onDurable(record)
}
