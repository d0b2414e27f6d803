/**
 * An Automerge document. Automerge itself is loaded with the first one, so an app that has none
 * never loads its WebAssembly. Changes made before that wait, in order.
 */
import type * as Automerge from "@automerge/automerge"
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentStatus as CoreStatus } from "@causeway/crdt/client"
import type { PresenceEntry, Resume } from "@causeway/crdt/protocol"
import { automergeLacking, headsSummary } from "./automerge-lacking.ts"
import { DocumentLink } from "./document-link.ts"
import type { DocumentStatus } from "./document-status.ts"
import type { Driver } from "./driver.ts"
import { systemRandom } from "./environment.ts"
import { SyncError } from "./errors.ts"
import { guarded, Listeners } from "./observable.ts"
import type { Observable } from "./observable.ts"
import type { Presence } from "./presence.ts"
import type { Replica } from "./replica.ts"
import type { Tier } from "./saves.ts"

type Library = typeof Automerge
type Change<T> = Automerge.ChangeFn<T>
type Loaded<T> = { readonly library: Library; doc: Automerge.Doc<T> }

export class AutomergeDocument<T> {
  readonly id: string
  /** Settled once Automerge is loaded and what local storage held is in `doc`. */
  readonly loaded: Promise<void>
  readonly #link: DocumentLink
  readonly #listeners = new Listeners<Automerge.Doc<T>>()
  readonly #early: Change<T>[] = []
  #loaded: Loaded<T> | undefined

  constructor(driver: Driver, document: DocumentId, id: string, onEnd: () => void) {
    this.id = id
    const client = Math.floor(systemRandom.next() * 2 ** 32)
    this.#link = new DocumentLink(driver, document, () => client, onEnd)
    this.loaded = this.#load(document)
    this.loaded.catch(() => undefined)
  }

  /** The document as it is now; undefined until `loaded`. */
  get doc(): Automerge.Doc<T> | undefined {
    return this.#loaded?.doc
  }

  get status(): Observable<DocumentStatus> {
    return this.#link.status
  }

  get presence(): Presence {
    return this.#link.presence
  }

  /** Changes the document. Before `loaded` the change waits, and is made then. */
  change(make: Change<T>): void {
    const loaded = this.#loaded
    if (loaded === undefined) {
      this.#early.push(make)
      return
    }
    const before = loaded.doc
    loaded.doc = loaded.library.change(before, make)
    if (loaded.doc === before) return
    const bytes = loaded.library.getLastLocalChange(loaded.doc)
    if (bytes !== undefined) this.#link.send(bytes)
    this.#listeners.call(loaded.doc)
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

  async #load(document: DocumentId): Promise<void> {
    const library = await import("@automerge/automerge").catch((error: unknown) => {
      const message = "Automerge could not be loaded"
      throw new SyncError("ERR_ENGINE_UNAVAILABLE", message, true, { cause: error })
    })
    const loaded: Loaded<T> = { library, doc: library.init<T>() }
    await this.#link.open(this.#replicaOf(document, loaded))
    this.#loaded = loaded
    for (const make of this.#early.splice(0)) guarded(() => this.change(make))
  }

  #replicaOf(document: DocumentId, loaded: Loaded<T>): Replica {
    const { library } = loaded
    return {
      document,
      resume: (): Resume => {
        return { type: "summary", summary: headsSummary(library.getHeads(loaded.doc)) }
      },
      apply: (updates) => {
        const before = loaded.doc
        for (const update of updates) loaded.doc = library.loadIncremental(loaded.doc, update)
        if (loaded.doc !== before) this.#listeners.call(loaded.doc)
      },
      lacking: (summary, outgoing) => automergeLacking(library, loaded.doc, summary, outgoing),
      onPresence: (entries: readonly PresenceEntry[]) => this.presence.receive(entries),
      onStatus: (status: CoreStatus) => this.#link.onStatus(status),
      onClosed: () => this.close(),
    }
  }
}
