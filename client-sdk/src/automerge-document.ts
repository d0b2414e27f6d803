/**
 * An Automerge document. Automerge itself is loaded with the first one, so an app that has none
 * never loads its WebAssembly. Changes made before that wait, in order. What a change throws
 * reaches who made it.
 */
import type * as Automerge from "@automerge/automerge"
import type { DocumentId } from "@causeway/crdt/base"
import type { Conflict, DocumentPath } from "./automerge-conflicts.ts"
import type { AutomergeReplica } from "./automerge-replica.ts"
import type { DocumentDriver } from "./client-driver.ts"
import { DocumentLink } from "./document-link.ts"
import type { DocumentStatus } from "./document-status.ts"
import { closedError } from "./driver.ts"
import { systemRandom } from "./environment.ts"
import { SyncError } from "./errors.ts"
import { Listeners } from "./observable.ts"
import type { Observable } from "./observable.ts"
import type { Presence } from "./presence.ts"
import type { Tier } from "./saves.ts"

type Change<T> = Automerge.ChangeFn<T>
type Early<T> = {
  readonly make: Change<T>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}
/** Changes that wait for `loaded`. */
const earlyChangesMax = 10_000

export class AutomergeDocument<T> {
  readonly id: string
  /** Settled once Automerge is loaded and what local storage held is in `doc`. */
  readonly loaded: Promise<void>
  readonly #link: DocumentLink
  readonly #listeners = new Listeners<Automerge.Doc<T>>()
  readonly #early: Early<T>[] = []
  #loaded: AutomergeReplica<T> | undefined

  /** @internal */
  constructor(driver: DocumentDriver, document: DocumentId, id: string, onEnd: () => void) {
    this.id = id
    const client = Math.floor(systemRandom.next() * 2 ** 32)
    this.#link = new DocumentLink(driver, document, () => client, onEnd)
    this.loaded = this.#load()
    this.loaded.catch((error: unknown) => {
      for (const { reject } of this.#early.splice(0)) reject(error)
    })
  }

  /** The document as it is now; undefined until `loaded`. */
  get doc(): Automerge.Doc<T> | undefined {
    return this.#loaded?.doc
  }

  /** Resolves once the handle is closed, by itself or with the client. */
  get closed(): Promise<void> {
    return this.#link.closed
  }

  get status(): Observable<DocumentStatus> {
    return this.#link.status
  }

  get presence(): Presence {
    return this.#link.presence
  }

  /** The Automerge actor of this handle, fresh for each; undefined until `loaded`. */
  get actor(): string | undefined {
    return this.#loaded?.actor
  }

  /**
   * Changes the document: at once, and before `loaded` as soon as it is. What `make` throws undoes
   * the change; it is thrown here, or before `loaded` the promise rejects with it.
   * @throws SyncError `ERR_CLOSED`; before `loaded` the promise rejects with that, with what
   *   `loaded` rejects with, or with `ERR_NOT_LOADED` if 10,000 changes wait already.
   */
  change(make: Change<T>): Promise<void> {
    const loaded = this.#loaded
    if (loaded !== undefined) {
      this.#change(loaded, make)
      return Promise.resolve()
    }
    if (this.#early.length === earlyChangesMax) {
      const message = `${earlyChangesMax} changes wait for the document: await its \`loaded\``
      return Promise.reject(new SyncError("ERR_NOT_LOADED", message, true))
    }
    return new Promise((resolve, reject) => {
      this.#early.push({ make, resolve, reject })
    })
  }

  /**
   * Where people wrote different values without knowing of each other, in the whole document; none
   * before `loaded`. At most 1,000, the others come up as these are resolved. Text is not looked
   * into, nor what is inside of a value that is not shown. Costs nothing where no concurrent writes
   * met, else O(n) in the document's keys and list elements at the first call after a change; until
   * the next change it gives the same list.
   */
  conflicts(): readonly Conflict[] {
    return this.#loaded?.conflicts ?? []
  }

  /**
   * Writes `value`, one of the conflict's or any other, so that the conflict is gone for everybody.
   * An object or a list is written as a copy: what others change meanwhile in the one that was
   * shown is not in it.
   * @throws SyncError `ERR_NO_CONFLICT` if there is none at the path (any more), `ERR_NOT_LOADED`,
   *   `ERR_CLOSED`; what Automerge throws if the value is none it can hold.
   */
  resolve(path: DocumentPath, value: unknown): void {
    const loaded = this.#loaded
    if (loaded === undefined) {
      throw new SyncError("ERR_NOT_LOADED", "await the document's `loaded`", true)
    }
    this.#change(loaded, loaded.resolution(path, value))
  }

  /** Calls `listener` with the document at each change, local or remote. */
  subscribe(listener: (doc: Automerge.Doc<T>) => void): () => void {
    return this.#listeners.add(listener)
  }

  /**
   * Resolves once every change so far is durable at `tier`; at "node" that takes a connection.
   * @throws SyncError as `YjsDocument.saved` does, and `ERR_ENGINE_UNAVAILABLE`.
   */
  async saved(tier: Tier): Promise<void> {
    await this.loaded
    await this.#link.saved(tier)
  }

  /** Lets go of the document; `doc` stays, but is synced no more. */
  close(): void {
    this.#link.end()
  }

  async #load(): Promise<void> {
    const kit = await import("./automerge-kit.ts").catch((error: unknown) => {
      const message = "Automerge could not be loaded"
      throw new SyncError("ERR_ENGINE_UNAVAILABLE", message, true, { cause: error })
    })
    const loaded = new kit.AutomergeReplica<T>((doc) => this.#listeners.call(doc))
    await this.#link.open(loaded.content(), () => this.close())
    if (this.#link.isEnded) throw closedError()
    this.#loaded = loaded
    for (const { make, resolve, reject } of this.#early.splice(0)) {
      try {
        this.#change(loaded, make)
        resolve()
      } catch (error) {
        reject(error)
      }
    }
  }

  #change(loaded: AutomergeReplica<T>, make: Change<T>): void {
    if (this.#link.isEnded) throw closedError()
    loaded.change(make, (bytes) => this.#link.send(bytes))
  }
}
