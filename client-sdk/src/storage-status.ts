/** How local storage is, as an app sees it. Rule [C11]. */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { DamagedRecord, StorageFailure, StorageFailureCode } from "@causeway/crdt/ports"

export type StorageStatus =
  | { readonly state: "opening" }
  | { readonly state: "ok" }
  /** Writes are tried again until they work; what is typed meanwhile is in memory, and not sent. */
  | { readonly state: "failing"; readonly code: StorageFailureCode; readonly message: string }
  /**
   * What is typed lives as long as this client, and is sent. `code` undefined: as the app wanted
   * it. Else storage could not be opened, and is tried again by the next client.
   */
  | {
      readonly state: "memory-only"
      readonly code: StorageFailureCode | undefined
      readonly message: string
    }

/** A record of local storage that can't be read; what is left of it is kept aside there. */
export type DamageReport = {
  readonly kind: DamagedRecord["kind"]
  /** Of a document that lost a record; a node sends it again. */
  readonly name: string | undefined
  /** In words. */
  readonly message: string
}

const losses: Readonly<Record<DamagedRecord["kind"], string>> = {
  outbox: "an update that no node had acked",
  rejected: "an update that a node had refused",
  identity: "who this client is; it is a new one now",
  tiers: "how far what is acked is saved",
  document: "a part of the document; a node sends it again",
}

export function damageReportOf(record: DamagedRecord): DamageReport {
  const { kind } = record
  const name = kind === "document" ? partsOfDocumentId(record.document).name : undefined
  return { kind, name, message: `local storage can't be read: ${losses[kind]}` }
}

export function failingOf({ code, message }: StorageFailure): StorageStatus {
  return { state: "failing", code, message }
}
