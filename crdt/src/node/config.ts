/** What a node core is made with. */
import type { Millis, NodeId, OriginId } from "../base/index.ts"
import type { Head, LogEntry, Notes, Sha256 } from "../log/index.ts"
import type { NodeRandom } from "../ports/index.ts"
import type { VersionRange } from "../protocol/index.ts"
import type { CompactionConfig } from "./compaction.ts"
import type { Engines } from "./job.ts"
import type { ReopenTimes, StayingBranch } from "./reopenings.ts"

export type NodeConfig = {
  readonly node: NodeId
  readonly origin: OriginId
  /** What the store holds, as it said when it was opened. */
  readonly heads: readonly (readonly [OriginId, Head])[]
  /** As the store said. Default: none. */
  readonly cuts?: readonly (readonly [OriginId, number])[]
  /** Where logs in it begin, as the store said. Default: at their beginnings. */
  readonly floors?: readonly (readonly [OriginId, Head])[]
  /** Default: `compactionLimits`, and no floor over what a member lacks. */
  readonly compaction?: CompactionConfig
  /** The cluster's own records in it, as the store said. Default: none. */
  readonly clusterRecords?: readonly LogEntry[]
  /** What background work wrote down of itself, as the store said. Default: nothing. */
  readonly notes?: Notes
  /** Nodes link only within one cluster name. */
  readonly cluster: string
  /** What peers must prove to know, and this node proves. Default: nobody proves anything. */
  readonly secret?: Uint8Array
  /** Clients show tokens, and are let in on those that are valid. Default: everybody is let in. */
  readonly checksTokens?: boolean | undefined
  /** Where peers may dial this node. Default: it does not say. */
  readonly address?: string
  /** Default: all that this build speaks. */
  readonly linkVersions?: VersionRange
  /** Addresses to dial and keep dialling. */
  readonly peers: readonly string[]
  /**
   * How long own entries may wait for others before they are pushed. Default: not at all, or with
   * more than `linkEagerLinksMax` links, `pushDelayEachMs` for each. Rule [L15].
   */
  readonly pushDelayMs?: Millis | undefined
  /** Default: `limits.watchMin`. */
  readonly watchMin?: number | undefined
  readonly engines: Engines
  readonly random: NodeRandom
  /** The host's own, if it is faster than one in JavaScript: peers' entries are checked with it. */
  readonly sha256?: Sha256
  /** From when on this core may end for a doubt (`Reopenings`). Default: at once. */
  readonly reopenFromMs?: ReopenTimes
  /** What the last opening for a fork found out (`Reopenings`). Default: nothing. */
  readonly staying?: StayingBranch | undefined
}
