/**
 * The store port: an append-only log per origin. The store assigns own sequence numbers and
 * reports what is durable; nothing assumes that it lives in this process.
 *
 * Order (the contract suite checks it): results arrive in the order of the calls, never inside
 * the call itself, and a read sees every append called before it and none called after.
 * An append is all or nothing, and durable (fsynced) before `done`; an empty one proves that
 * the store can still write. A failed append leaves no trace.
 *
 * A store opened in doubt starts a fresh epoch before it is used (ADR 8): no (origin, seq) is ever
 * given out twice. It finds some doubts by itself; others the core asks for (`ReopenDoubt`).
 */
import type { NodeId, OriginId } from "../base/index.ts"
import type {
  Head,
  LogBatch,
  LogEntry,
  Notes,
  ReadFailureCode,
  ReadQuery,
  ReadResult,
  Renewal,
} from "../log/index.ts"

export type { ReadFailureCode, ReadQuery, ReadResult }

/** All or nothing, snapshots and floors included. */
export type AppendBatch = LogBatch

export type StoreFailure = {
  readonly ok: false
  /**
   * `store-full`: no space; `store-failed`: anything else. Both may pass by themselves. `refused`:
   * a snapshot or a floor that breaks rule [K1] or [K2], which is the caller's fault. `unreadable`:
   * a floor over a snapshot that is damaged ([K12]).
   */
  readonly code: "store-full" | "store-failed" | "refused" | "unreadable"
  readonly message: string
}

export type AppendResult =
  | {
      readonly ok: true
      /** Seq of the first own record (the next one to be given if there was none). */
      readonly firstSeq: number
      /** New heads of every origin the batch touched. */
      readonly heads: readonly (readonly [OriginId, Head])[]
    }
  | StoreFailure

/** What a core found out about its log, which only an opening can put right. */
export type ReopenDoubt =
  /** Peers hold more or other entries of the own origin; up to `keepSeq` they hold the same. */
  | { readonly why: "overtaken"; readonly keepSeq: number }
  /** Peers retired the own origin; up to `keepSeq` they hold the same. */
  | { readonly why: "retired"; readonly keepSeq: number }
  /**
   * Another branch of `origin`, which is not the own one, stays behind `keepSeq`; `hash` is that of
   * its first entry there. The own origin goes on.
   */
  | {
      readonly why: "fork"
      readonly origin: OriginId
      readonly keepSeq: number
      readonly hash: Uint8Array
    }
  /** A record could not be read: look through all of them. */
  | { readonly why: "corrupt" }

/**
 * Why a store started a fresh epoch. `boot-record`: the log was put back, copied or exchanged.
 * `tail`: the end of the own log is damaged or gone.
 */
export type DoubtReason = "boot-record" | "tail" | ReopenDoubt["why"]

/** What an opening that started a fresh epoch found, kept and lost. */
export type Renewed = Renewal & {
  readonly why: DoubtReason
  /** The own origin before it. */
  readonly before: OriginId
}

export interface Store {
  /** What the log holds now that it is open; the own origin is always among the heads. */
  readonly opened: {
    readonly node: NodeId
    readonly origin: OriginId
    readonly heads: readonly (readonly [OriginId, Head])[]
    /** Where logs begin, if not at their beginning. Entries up to there are only in snapshots. */
    readonly floors: readonly (readonly [OriginId, Head])[]
    /**
     * Where own origins of before were cut as overtaken. Behind that, what was shown as theirs here
     * is logged under others now, and what is there now comes from peers.
     */
    readonly cuts: readonly (readonly [OriginId, number])[]
    /**
     * Entries of no document, of kinds that are known. No floor and no compaction takes them away.
     */
    readonly clusterRecords: readonly LogEntry[]
    /** What background work wrote down of itself (`LogBatch.notes`). */
    readonly notes: Notes
    /** Set if this opening was in doubt and started a fresh epoch. */
    readonly renewed: Renewed | undefined
  }
  append(batch: AppendBatch, done: (result: AppendResult) => void): void
  read(query: ReadQuery, done: (result: ReadResult) => void): void
  /** Lets what is under way finish, then releases files and locks. */
  close(done: () => void): void
}
