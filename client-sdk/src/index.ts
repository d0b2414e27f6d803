/** Causeway's SDK: local-first documents that say what is saved where. */
export { createClient } from "./client.ts"
export type { Client, ClientOptions, DocumentName, LocalDocument } from "./client.ts"
export type { Pending, RejectedUpdate } from "./client.ts"
export type { Conflict, ConflictValue, DocumentPath } from "./automerge-conflicts.ts"
export type { AutomergeDocument } from "./automerge-document.ts"
export type { DocumentStatus } from "./document-status.ts"
export { SyncError } from "./errors.ts"
export type { SyncErrorCode } from "./errors.ts"
export { memoryStorage } from "./memory-storage.ts"
export type { MemoryStorageOptions } from "./memory-storage.ts"
export type { DamageReport, StorageStatus } from "./storage-status.ts"
export type { Observable } from "./observable.ts"
export type { Presence, PresenceChange, PresenceState } from "./presence.ts"
export type { Tier } from "./saves.ts"
export type { TierStatus, WaitingFor } from "./tier-status.ts"
export type { YjsDocument } from "./yjs-document.ts"
export type {
  ClientEvent,
  ConnectionStatus,
  Freshness,
  PendingStatus,
  RetryOutcome,
  SavedTo,
} from "@causeway/crdt/client"
export type { ClientStorage } from "@causeway/crdt/ports"
