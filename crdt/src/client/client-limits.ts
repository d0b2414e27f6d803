/** Bounds of the client core alone; those that a node shares are in base/limits.ts. */
import { limits } from "../base/index.ts"

const MiB = 1024 * 1024

export const clientLimits = {
  /**
   * Bytes of unacked updates. An update that was typed can't be refused, so past it nothing is
   * dropped: the pending status says `full`, and the app is the one to apply back-pressure.
   */
  outboxBytesMax: 64 * MiB,
  /**
   * Updates under way, of any size: a node lets `openBatchEntriesMax` wait for a commit, and many
   * clients may come back with a full outbox at once. Past it: they wait for acks.
   */
  updatesUnderWayMax: 2048,
  /** Writes in one `store` effect; more wait for the next. */
  storeWritesMax: 1024,
  /**
   * Bytes of documents that wait for storage. Past it: what comes is not written, and once storage
   * has caught up the documents are, as a whole.
   */
  copyBytesWaitingMax: 32 * MiB,
  /**
   * A stored document is rewritten as one state once so many records were added to it, or as many
   * bytes as it began with but no fewer than that.
   */
  compactRecordsMax: 1024,
  compactBytesMin: 64 * 1024,
  /** A connection that lived this long resets the back-off. */
  stableMs: 30_000,
  /**
   * Connected to a url that is not the first, a client looks whether the first opens again:
   * after so long, and a draw of as much, doubling up to the maximum while none does.
   */
  failBackMsMin: 60_000,
  failBackMsMax: 900_000,
  /** After a retryable reject: full jitter between attempts. */
  resendBackoffMsMin: 50,
  resendBackoffMsMax: 5000,
  /** A node without an update's predecessors is given them, or asked again, so often. */
  repairsMax: 3,
  /** A document that the node could not serve is opened again. */
  reopenBackoffMsMin: 500,
  reopenBackoffMsMax: 30_000,
  /** Presence states of this client go out at most this often; the latest wins. */
  presencePaceMs: 25,
  /** A node forgets presence that is older than `presenceTtlMs`. */
  presenceRenewMs: limits.presenceTtlMs / 2,
  /** Another token is asked for no sooner than this before the first is over, and so far apart. */
  tokenAheadMsMax: 120_000,
  tokenRetryMsMin: 1000,
  /** What a node may ask for; anything else is clamped. */
  heartbeatMsMin: 100,
  heartbeatMsMax: 300_000,
} as const
