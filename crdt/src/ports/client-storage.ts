/**
 * Where a client keeps what it typed and what it has: its identity, the outbox of updates that are
 * not acked yet, the updates a node refused for good, how far the acked ones are saved, and copies
 * of documents. A copy holds what nodes have; what they don't have yet is in the outbox. Contract
 * (crdt/src/testing/client-storage-contract.ts): `done` is called in the order of calls, never
 * inside the call; a write is all or nothing, and durable (as far as the storage can) before its
 * `done`; repeating a write leaves documents and outbox as they are. A record that can't be read
 * costs no other one, and is named. Rules [C8]–[C11].
 */
import type { ClientId, DocumentId } from "../base/index.ts"
import type { VersionVector } from "../clock/index.ts"
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
  /** Records that could not be read; they are kept aside. Rule [C10]. */
  readonly damaged: readonly DamagedRecord[]
}

/** What a record that can't be read was of. */
export type DamagedRecord =
  /** An update that was typed and not acked: its number is void. */
  | { readonly kind: "outbox" | "rejected"; readonly seq: number }
  /** A new identity is taken. */
  | { readonly kind: "identity" }
  | { readonly kind: "tiers" }
  /** Its resume point is gone, so that a node sends what is missing. */
  | { readonly kind: "document"; readonly document: DocumentId }

/** What a node has of a document, as it was when it was stored last. */
export type StoredDocument = {
  readonly generation: number
  /** Together they are the document, in any order. */
  readonly updates: readonly Uint8Array[]
  /** Everything up to here is in `updates`; undefined: nobody can say. */
  readonly resume: VersionVector | undefined
}

export type DocumentEntry = {
  /** Its name: of the first generation. */
  readonly document: DocumentId
  readonly generation: number
  /** Of its updates. */
  readonly bytes: number
}

export type StorageWrite =
  /** `shelved`: a number under which it leaves the shelf of rejected updates, in the same step. */
  | { readonly type: "outbox-add"; readonly update: StoredUpdate; readonly shelved?: number }
  /** Everything up to and including `seq` is acked. */
  | { readonly type: "outbox-trim"; readonly seq: number }
  /** Out of the outbox (if it is there) and onto the shelf of rejected updates. */
  | { readonly type: "rejected-add"; readonly update: RejectedUpdate }
  | { readonly type: "rejected-remove"; readonly seq: number }
  /** How far acked updates are saved, as the core encodes it: replaces what was there. */
  | { readonly type: "tiers"; readonly state: Uint8Array }
  /** A new identity for the same outbox. */
  | { readonly type: "client"; readonly client: ClientId }
  /**
   * More of a document. A copy is of one generation: of a later one, this is the beginning of a
   * new copy; of an earlier one, it is ignored. `resume` undefined: that of the copy stays.
   */
  | {
      readonly type: "document-append"
      readonly document: DocumentId
      readonly generation: number
      readonly updates: readonly Uint8Array[]
      readonly resume: VersionVector | undefined
    }
  /** All of a document, in place of what there is. */
  | {
      readonly type: "document-replace"
      readonly document: DocumentId
      readonly generation: number
      readonly state: Uint8Array
      readonly resume: VersionVector | undefined
    }
  /**
   * Only a copy of that generation, or an earlier one. `discarded`: what leaves outbox and shelf in
   * the same step.
   */
  | {
      readonly type: "document-remove"
      readonly document: DocumentId
      readonly generation: number
      readonly discarded?: readonly number[]
    }

/**
 * `full`: no room, or the quota is used up. `blocked`: another process or tab has it. `denied`: the
 * host allows no storage here, as in some private windows. `closed`: it was closed or evicted under
 * our hands. `damaged`: it can't be read at all.
 */
export type StorageFailureCode = "full" | "blocked" | "denied" | "closed" | "damaged" | "failed"

export type StorageFailure = {
  readonly ok: false
  readonly code: StorageFailureCode
  readonly message: string
}

export type StorageResult = { readonly ok: true } | StorageFailure

export type LoadResult = { readonly ok: true; readonly stored: StoredClient } | StorageFailure

export type DocumentReadResult =
  | {
      readonly ok: true
      readonly stored: StoredDocument | undefined
      readonly damaged: readonly DamagedRecord[]
    }
  | StorageFailure

export type DocumentListResult =
  | { readonly ok: true; readonly documents: readonly DocumentEntry[] }
  | StorageFailure

export interface ClientStorage {
  /** Whoever has it now does nothing with it any more: the next `load` takes it from them. */
  takeOver?(): void
  /** First, and after a `close`; `fresh` is the identity to take (durably) if there is none yet. */
  load(fresh: ClientId, done: (result: LoadResult) => void): void
  /**
   * Nobody waits any more for a `load` that has not answered: what it holds is let go of, as far as
   * that can be. Should it answer `ok` all the same, a `close` follows.
   */
  forgo?(): void
  write(writes: readonly StorageWrite[], done: (result: StorageResult) => void): void
  /** One document, with all that was written before the call. */
  read(document: DocumentId, done: (result: DocumentReadResult) => void): void
  /** All documents, in the order of their ids. */
  list(done: (result: DocumentListResult) => void): void
  /** Lets what is under way finish. */
  close(done: () => void): void
}
