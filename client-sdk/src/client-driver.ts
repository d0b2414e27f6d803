/** What a client and its documents need of who has the connection and the storage. */
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientEvent, ClientInput } from "@causeway/crdt/client"
import type { ConnectionStatus, PendingStatus, RetryOutcome } from "@causeway/crdt/client"
import type { ClientStorage, DamagedRecord, DocumentEntry } from "@causeway/crdt/ports"
import type { RejectedUpdate } from "@causeway/crdt/ports"
import type { Listeners, State } from "./observable.ts"
import type { Replica } from "./replica.ts"
import type { Tier } from "./saves.ts"
import type { StorageStatus } from "./storage-status.ts"

export type DriverOptions = {
  readonly urls: readonly string[]
  readonly token: (() => string | Promise<string>) | undefined
  /** Undefined: in memory. */
  readonly storage: ClientStorage | undefined
}

/** What an app does, as the core has it. */
type AppInput = Extract<
  ClientInput,
  {
    readonly type: "local-update" | "local-presence" | "go-offline" | "go-online" | "refresh-token"
  }
>

/** What an open document needs of it. */
export interface DocumentDriver {
  readonly isClosed: boolean
  /** Reads the document from storage, and opens it if `isWanted` still. */
  open(replica: Replica, isWanted: () => boolean): Promise<void>
  detach(replica: Replica): void
  hand(input: AppInput): void
  saved(document: DocumentId, tier: Tier): Promise<void>
}

export interface ClientDriver extends DocumentDriver {
  readonly connection: State<ConnectionStatus>
  readonly pending: State<PendingStatus>
  readonly storage: State<StorageStatus>
  /** Records that storage could not read, in the order in which that was found. */
  readonly damaged: readonly DamagedRecord[]
  readonly damages: Listeners<DamagedRecord>
  readonly events: Listeners<ClientEvent>
  readonly rejections: Listeners<RejectedUpdate>
  /** Rejected updates the app has not taken care of. */
  readonly rejected: ReadonlyMap<number, RejectedUpdate>
  pendingDocuments(): DocumentId[]
  /** What storage has copies of. */
  documents(): Promise<readonly DocumentEntry[]>
  /** Takes what there is of it out of storage. */
  remove(document: DocumentId, discard: boolean, isOpen: () => boolean): Promise<void>
  dismiss(seq: number): void
  retry(seq: number): RetryOutcome
  /** Hangs up once everything typed is in storage. */
  close(): Promise<void>
}

/** How a client comes to share its driver with others: see `@causeway/client/tabs`. */
export interface SharedTabs {
  readonly name: string
  /** @internal Undefined if the host has not what it takes. */
  connect(options: DriverOptions): ClientDriver | undefined
}
