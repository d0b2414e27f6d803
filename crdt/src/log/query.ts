/**
 * What a log can be asked and what it answers: the reads of the store port, and how a MemoryLog
 * answers them. Rules [K3] [K4].
 */
import { limits } from "../base/index.ts"
import type { ClientId, DocumentId, OriginId } from "../base/index.ts"
import type { Dot, VersionVector } from "../clock/index.ts"
import type { Head } from "./chain.ts"
import type { DigestLeaf } from "./digest-leaf.ts"
import type { MemoryLog } from "./memory-log.ts"
import type { PageBounds, UndocumentedPage } from "./record-page.ts"
import type {
  ChangedPage,
  FloorsToCheck,
  Foldable,
  LogEntry,
  LogRun,
  Snapshot,
  SoundFloors,
} from "./snapshot.ts"

export type ReadQuery =
  /**
   * A document's entries that `since` does not cover, each origin's in order of seq; and where some
   * of it may be in the snapshot alone, or `since` is empty, the snapshot and what it lacks.
   */
  | { readonly type: "document"; readonly document: DocumentId; readonly since: VersionVector }
  /** Entries of one origin from `fromSeq`, as many as fit `bytesMax`, at least one if any. */
  | {
      readonly type: "origin"
      readonly origin: OriginId
      readonly fromSeq: number
      readonly bytesMax: number
    }
  /** The highest update number of a client that was ever in the log. */
  | { readonly type: "client"; readonly client: ClientId }
  /**
   * Documents behind `after` that have something `since` does not cover, in their order
   * (`compareDocuments`), at most `limit`; a page may have fewer, even none, and still not be the
   * last.
   */
  | {
      readonly type: "changed"
      readonly since: VersionVector
      readonly after: DocumentId | undefined
      readonly limit: number
    }
  /** What compaction can work on among the entries up to `upTo`: at most `limit` documents. */
  | { readonly type: "foldable"; readonly upTo: VersionVector; readonly limit: number }
  /**
   * How far these floors, which `foldable` gave, can move over snapshots that were read back from
   * the store since they were written. About `bytesMax` of states are read, or one.
   */
  | ({ readonly type: "sound-floors" } & FloorsToCheck)
  /**
   * Entries of no document, of whatever kind, behind `after`, that `since` does not cover: as many
   * as fit, at least one if there is one.
   */
  | ({
      readonly type: "undocumented"
      readonly since: VersionVector
      readonly after: Dot | undefined
    } & PageBounds)
  /** Clients behind `after`, in order of their ids. */
  | { readonly type: "clients"; readonly after: ClientId | undefined; readonly limit: number }
  | { readonly type: "leaves"; readonly bucket: number }
  /** Of `count` buckets from `from` on, those that hold a leaf. */
  | { readonly type: "bucket-sums"; readonly from: number; readonly count: number }

export type ReadResult =
  | {
      readonly type: "document"
      readonly snapshot: Snapshot | undefined
      readonly entries: readonly LogEntry[]
    }
  | { readonly type: "origin"; readonly run: LogRun; readonly previousHash: Uint8Array }
  /** Of an origin read from below the floor: those entries are there no more. */
  | { readonly type: "truncated"; readonly floor: Head }
  | ({ readonly type: "changed" } & ChangedPage)
  | ({ readonly type: "foldable" } & Foldable)
  | ({ readonly type: "sound-floors" } & SoundFloors)
  | { readonly type: "client"; readonly seq: number }
  | ({ readonly type: "undocumented" } & UndocumentedPage)
  | { readonly type: "clients"; readonly clients: readonly (readonly [ClientId, number])[] }
  | { readonly type: "leaves"; readonly leaves: readonly DigestLeaf[] }
  | { readonly type: "bucket-sums"; readonly sums: readonly (readonly [number, Uint8Array])[] }
  | { readonly type: "failed"; readonly code: ReadFailureCode; readonly message: string }

/** `document-too-large`: over `documentReadBytesMax`. `corrupt`: a record failed its checksum. */
export type ReadFailureCode = "store-failed" | "document-too-large" | "corrupt"

export function readLog(log: MemoryLog, query: ReadQuery): ReadResult {
  switch (query.type) {
    case "document":
      return readDocument(log, query.document, query.since)
    case "origin": {
      const floor = log.floor(query.origin)
      if (query.fromSeq <= floor.seq) return { type: "truncated", floor }
      return { type: "origin", ...log.readOrigin(query.origin, query.fromSeq, query.bytesMax) }
    }
    case "client":
      return { type: "client", seq: log.readClient(query.client) }
    case "changed":
      return { type: "changed", ...log.readChanged(query.since, query.after, query.limit) }
    case "foldable":
      return { type: "foldable", ...log.readFoldable(query.upTo, query.limit) }
    case "sound-floors":
      return { type: "sound-floors", floors: query.floors, unreadable: [] }
    case "undocumented":
      return log.readUndocumented(query)
    case "clients":
      return { type: "clients", clients: log.readClients(query.after, query.limit) }
    case "leaves":
      return { type: "leaves", leaves: log.side.leaves(query.bucket) }
    case "bucket-sums":
      return { type: "bucket-sums", sums: log.side.bucketSums(query.from, query.count) }
  }
}

function readDocument(log: MemoryLog, document: DocumentId, since: VersionVector): ReadResult {
  const { snapshot, entries } = log.readDocument(document, since)
  let bytes = snapshot?.state.length ?? 0
  for (const { record } of entries) bytes += record.length
  return bytes <= limits.documentReadBytesMax
    ? { type: "document", snapshot, entries }
    : { type: "failed", code: "document-too-large", message: `${bytes} bytes` }
}
