/**
 * Where a client keeps what it typed: per document the engine state and resume point, and the
 * outbox of updates that are not acked yet. Contract: `done` is called in the order of calls,
 * never inside the call; a write is durable (as far as the storage can) before its `done`.
 */
import type { DocumentId } from "../base/index.ts"

export type StoredUpdate = {
  /** This client's number for it: 1, 2, 3 … over all documents. */
  readonly seq: number
  readonly document: DocumentId
  readonly bytes: Uint8Array
}

export type StoredClient = {
  /** Unacked updates in order of seq. */
  readonly outbox: readonly StoredUpdate[]
  /** The next seq to give. */
  readonly nextSeq: number
}

export type StorageWrite =
  | { readonly type: "outbox-add"; readonly update: StoredUpdate }
  /** Everything up to and including `seq` is acked. */
  | { readonly type: "outbox-trim"; readonly seq: number }
  | { readonly type: "outbox-remove"; readonly seq: number }

export type StorageResult = { readonly ok: true } | { readonly ok: false; readonly message: string }

export interface ClientStorage {
  load(done: (stored: StoredClient) => void): void
  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void
  close(done: () => void): void
}
