/** The SDK's face: one client, its documents, its connection, and what it has not saved yet. */
import { documentIdOf, engineTags, partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId, EngineName } from "@causeway/crdt/base"
import type { ClientEvent, ConnectionStatus, PendingStatus } from "@causeway/crdt/client"
import type { RetryOutcome } from "@causeway/crdt/client"
import type { ClientStorage, RejectedUpdate as StoredRejection } from "@causeway/crdt/ports"
import { rejectCodes } from "@causeway/crdt/protocol"
import { AutomergeDocument } from "./automerge-document.ts"
import type { ClientDriver, SharedTabs } from "./client-driver.ts"
import { closedError, Driver } from "./driver.ts"
import { persistStorage } from "./environment.ts"
import type { PersistResult } from "./environment.ts"
import { SyncError } from "./errors.ts"
import type { Observable } from "./observable.ts"
import { damageReportOf } from "./storage-status.ts"
import type { DamageReport, StorageStatus } from "./storage-status.ts"
import { YjsDocument } from "./yjs-document.ts"

export type ClientOptions = {
  /** Nodes' `/sync` addresses, tried in order of health. */
  readonly urls: readonly string[]
  /** Asked before each attempt to connect, and before what it gave is over. */
  readonly token?: () => string | Promise<string>
  /** Where what is typed is kept until it is acked; in memory if not given. */
  readonly storage?: ClientStorage
  /** Shares storage and socket with other tabs; a socket for each tab if not given. */
  readonly tabs?: SharedTabs
  /** For logs and counters. */
  readonly onEvent?: (event: ClientEvent) => void
}

export type DocumentName = { readonly engine: EngineName; readonly name: string }

/** A copy in local storage; `bytes`: of the updates it is made of. */
export type LocalDocument = DocumentName & { readonly bytes: number }

/**
 * An update that no node will take, kept until the app has taken care of it, or has it tried again;
 * if `error.retryable`, that happens by itself when the document is opened.
 */
export type RejectedUpdate = DocumentName & {
  readonly update: Uint8Array
  readonly error: SyncError
  /** The node's code, such as `permission-denied`. */
  readonly reason: StoredRejection["code"]
  /** The app has saved or given up the update: forget it. */
  readonly dismiss: () => void
  /**
   * The node may take it by now: sends it again, from then on as anything that is typed. An open
   * handle shows it. If it is refused again it comes to `onRejected` anew.
   * @throws SyncError `ERR_CLOSED`.
   */
  readonly retry: () => RetryOutcome
}

/** What is typed and not acked by a node, over all documents. */
export interface Pending extends Observable<PendingStatus> {
  readonly count: number
  readonly bytes: number
  /** Past 64 MiB: nothing is dropped, but the app should slow its user down. */
  readonly full: boolean
  documents(): DocumentName[]
}

export class Client {
  readonly pending: Pending
  readonly #driver: ClientDriver
  readonly #documents = new Map<DocumentId, YjsDocument | AutomergeDocument<unknown>>()

  /** @internal */
  constructor(options: ClientOptions) {
    checkUrls(options.urls)
    const { urls, token, storage, tabs, onEvent } = options
    const wishes = { urls: [...urls], token, storage }
    this.#driver = tabs?.connect(wishes) ?? new Driver(wishes)
    if (onEvent !== undefined) this.#driver.events.add(onEvent)
    this.pending = pendingOf(this.#driver)
  }

  /** True once `close` was called. */
  get isClosed(): boolean {
    return this.#driver.isClosed
  }

  get connection(): Observable<ConnectionStatus> {
    return this.#driver.connection
  }

  /** Asks the browser to keep what is stored when it runs short of room; it may ask its user. */
  persist(): Promise<PersistResult> {
    return persistStorage()
  }

  /** Whether what is typed gets into local storage. */
  get storage(): Observable<StorageStatus> {
    return this.#driver.storage
  }

  /**
   * Opens a Yjs document; the same handle again while it is open.
   * @throws TypeError if the name is empty or over 512 bytes; SyncError `ERR_CLOSED`.
   */
  yjs(name: string): YjsDocument {
    const document = this.#idOf("yjs", name)
    const open = this.#documents.get(document)
    if (open instanceof YjsDocument) return open
    const handle = new YjsDocument(this.#driver, document, name, () => {
      this.#documents.delete(document)
    })
    this.#documents.set(document, handle)
    return handle
  }

  /**
   * Opens an Automerge document; the same handle again while it is open.
   * @throws TypeError if the id is empty or over 512 bytes; SyncError `ERR_CLOSED`.
   */
  automerge<T>(id: string): AutomergeDocument<T> {
    const document = this.#idOf("automerge", id)
    const open = this.#documents.get(document)
    // cast: what a document holds is the app's to say, each time it opens it.
    if (open instanceof AutomergeDocument) return open as AutomergeDocument<T>
    const handle = new AutomergeDocument<T>(this.#driver, document, id, () => {
      this.#documents.delete(document)
    })
    // cast: as above; the map never reads or changes a document.
    this.#documents.set(document, handle as unknown as AutomergeDocument<unknown>)
    return handle
  }

  /**
   * Documents that local storage has a copy of, open or not.
   * @throws SyncError `ERR_CLOSED`, `ERR_STORAGE`.
   */
  async documents(): Promise<LocalDocument[]> {
    const entries = await this.#driver.documents()
    return entries.map(({ document, bytes }) => ({ ...nameOf(document), bytes }))
  }

  /**
   * Removes what local storage has of a document; nodes keep it, and it may be opened again. Done
   * once storage has done it. `discard`: with what no node has; that may get to one all the same.
   * @throws TypeError as `yjs`, or of no engine; SyncError `ERR_DOCUMENT_OPEN` while a handle is
   *   open, `ERR_NOT_SAVED` if something is pending or refused, `ERR_CLOSED`.
   */
  async remove(
    { engine, name }: DocumentName,
    { discard = false }: { readonly discard?: boolean } = {},
  ): Promise<void> {
    const document = this.#idOf(engine, name)
    await this.#driver.remove(document, discard, () => this.#documents.has(document))
  }

  /** Calls `listener` with each record that local storage could not read, earlier ones too. */
  onDamaged(listener: (damage: DamageReport) => void): () => void {
    const { damaged, damages } = this.#driver
    const earlier = damaged.map(damageReportOf)
    queueMicrotask(() => earlier.forEach(listener))
    return damages.add((record) => listener(damageReportOf(record)))
  }

  /** Calls `listener` with each rejected update, those of earlier lives too, until dismissed. */
  onRejected(listener: (rejected: RejectedUpdate) => void): () => void {
    const driver = this.#driver
    const end = driver.rejections.add((update) => listener(rejectionOf(driver, update)))
    const earlier = [...driver.rejected.values()]
    queueMicrotask(() => {
      for (const update of earlier) {
        if (driver.rejected.has(update.seq)) listener(rejectionOf(driver, update))
      }
    })
    return end
  }

  /** Hangs up, and stays away until `goOnline`; editing goes on. */
  goOffline(): void {
    this.#driver.hand({ type: "go-offline" })
  }

  /** Connects again: after `goOffline`, or after a node ended the connection for good. */
  goOnline(): void {
    this.#driver.hand({ type: "go-online" })
  }

  /**
   * Asks `token` now, and shows the node what it gives, on the connection that there is: after the
   * user signed in, or was given other rights. Ends the wait of `needs-token`.
   */
  refreshToken(): void {
    this.#driver.hand({ type: "refresh-token" })
  }

  /** Closes every document and hangs up, once everything typed is in local storage. */
  close(): Promise<void> {
    return this.#driver.close()
  }

  #idOf(engine: EngineName, name: string): DocumentId {
    if (this.#driver.isClosed) throw closedError()
    // What has no tag can't be stored, nor anything after it.
    const document = Object.hasOwn(engineTags, engine) ? documentIdOf(engine, name) : undefined
    if (document === undefined) throw new TypeError("a document's name is 1 to 512 bytes of UTF-8")
    return document
  }
}

/**
 * Connects to the first node that answers, and goes on without one until then.
 * @throws TypeError if `urls` is empty or one is no ws: or wss: address.
 */
export function createClient(options: ClientOptions): Client {
  return new Client(options)
}

function checkUrls(urls: readonly string[]): void {
  if (urls.length === 0) throw new TypeError("urls must name at least one node")
  for (const url of urls) {
    if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
      throw new TypeError(`not a ws: or wss: address: ${url}`)
    }
  }
}

function pendingOf(driver: ClientDriver): Pending {
  const { pending } = driver
  return {
    get current() {
      return pending.current
    },
    get count() {
      return pending.current.count
    },
    get bytes() {
      return pending.current.bytes
    },
    get full() {
      return pending.current.full
    },
    subscribe: (listener) => pending.subscribe(listener),
    documents: () => driver.pendingDocuments().map(nameOf),
  }
}

function nameOf(document: DocumentId): DocumentName {
  const { engine, name } = partsOfDocumentId(document)
  return { engine, name }
}

function rejectionOf(driver: ClientDriver, rejected: StoredRejection): RejectedUpdate {
  const { document, bytes, code, message, seq } = rejected
  const text = `a node refused an update (${code}): ${message}`
  return {
    ...nameOf(document),
    update: bytes,
    reason: code,
    error: new SyncError("ERR_UPDATE_REJECTED", text, rejectCodes[code].retry, { cause: rejected }),
    dismiss: () => driver.dismiss(seq),
    retry: () => driver.retry(seq),
  }
}
