/**
 * Where a client keeps what it typed: its identity, the outbox of updates that are not acked yet,
 * the updates a node refused for good, and how far the acked ones are saved. Contract
 * (crdt/src/testing/client-storage-contract.ts): `done` is called in the order of calls, never
 * inside the call; a write is all or nothing, and durable (as far as the storage can) before its
 * `done`; repeating a write changes nothing.
 */
import type { ClientId, DocumentId } from "../base/index.ts"
import type { RejectCode } from "../protocol/index.ts"

export type StoredUpdate = {
  /** This client's number for it: 1, 2, 3 … over all documents. */
  readonly seq: number
  /** Its name: of the first generation. */
  readonly document: DocumentId
  /** The generation that the replica was of, in which it was typed; 0: none was known yet. [R7] */
  readonly generation: number
  readonly bytes: Uint8Array
}

/** An update that no node will take, kept for the app. */
export type RejectedUpdate = StoredUpdate & {
  readonly code: RejectCode
  readonly message: string
}

export type StoredClient = {
  readonly client: ClientId
  /** Unacked updates in order of seq; a missing seq was rejected. */
  readonly outbox: readonly StoredUpdate[]
  /** The next seq to give: above every seq ever added, trimmed ones too. */
  readonly nextSeq: number
  /** In order of seq. */
  readonly rejected: readonly RejectedUpdate[]
  /** What `tiers` wrote last; undefined if nothing was. */
  readonly tiers: Uint8Array | undefined
}

export type StorageWrite =
  | { readonly type: "outbox-add"; readonly update: StoredUpdate }
  /** Everything up to and including `seq` is acked. */
  | { readonly type: "outbox-trim"; readonly seq: number }
  /** Out of the outbox (if it is there) and onto the shelf of rejected updates. */
  | { readonly type: "rejected-add"; readonly update: RejectedUpdate }
  | { readonly type: "rejected-remove"; readonly seq: number }
  /** How far acked updates are saved, as the core encodes it: replaces what was there. */
  | { readonly type: "tiers"; readonly state: Uint8Array }
  /** A new identity for the same outbox. */
  | { readonly type: "client"; readonly client: ClientId }

export type StorageResult = { readonly ok: true } | { readonly ok: false; readonly message: string }

export type LoadResult =
  | { readonly ok: true; readonly stored: StoredClient }
  | { readonly ok: false; readonly message: string }

export interface ClientStorage {
  /** `fresh` is the identity to take (durably) if there is none yet. Called once, first. */
  load(fresh: ClientId, done: (result: LoadResult) => void): void
  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void
  /** Lets what is under way finish. */
  close(done: () => void): void
}
