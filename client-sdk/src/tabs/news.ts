/** What the tab that leads tells the others about the client, and what they ask of it. */
import type { DocumentId } from "@causeway/crdt/base"
import type { ConnectionStatus, PendingStatus } from "@causeway/crdt/client"
import type { DamagedRecord, RejectedUpdate } from "@causeway/crdt/ports"
import { SyncError } from "../errors.ts"
import type { SyncErrorCode } from "../errors.ts"
import type { Tier } from "../saves.ts"
import type { StorageStatus } from "../storage-status.ts"

/** What changed; all of it for a tab that joins. */
export type News = {
  readonly connection?: ConnectionStatus
  readonly pending?: PendingStatus
  readonly pendingDocuments?: readonly DocumentId[]
  readonly storage?: StorageStatus
  /** Whether the app wants to be offline. */
  readonly offline?: boolean
  /** Every one that the app has not taken care of. */
  readonly rejected?: readonly RejectedUpdate[]
  readonly damaged?: readonly DamagedRecord[]
}

/** Documents named to other tabs as pending. */
export const pendingDocumentsMax = 1000

export type Question =
  | { readonly type: "saved"; readonly document: DocumentId; readonly tier: Tier }
  | { readonly type: "documents" }
  | { readonly type: "remove"; readonly document: DocumentId; readonly discard: boolean }
  | { readonly type: "dismiss" | "retry"; readonly seq: number }
  | { readonly type: "go"; readonly offline: boolean }
  | { readonly type: "refresh-token" }

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly code: SyncErrorCode
      readonly message: string
      readonly retryable: boolean
    }

export async function answerOf(run: () => unknown): Promise<Answer> {
  try {
    return { ok: true, value: await run() }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    const { code, message, retryable } = error
    return { ok: false, code, message, retryable }
  }
}
