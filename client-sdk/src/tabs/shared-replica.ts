/**
 * A document of the tab that leads, for all tabs that have it open: to the driver it is a replica
 * like any other. It stands on the app's own replica if this tab has the document open too, so that
 * a tab that is alone has it once; else on one of its own.
 */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentStatus as CoreStatus } from "@causeway/crdt/client"
import type { DriverInput } from "@causeway/crdt/client/tabs"
import type { PresenceEntry, Resume } from "@causeway/crdt/protocol"
import { AutomergeDocument } from "../automerge-document.ts"
import type { DocumentDriver } from "../client-driver.ts"
import { guarded } from "../observable.ts"
import type { Replica } from "../replica.ts"
import { YjsDocument } from "../yjs-document.ts"

export class SharedReplica implements Replica {
  readonly document: DocumentId
  readonly generation: number
  readonly #tell: (input: DriverInput) => void
  #engine: Replica | undefined
  #isOwn = false
  /** What comes, and what is to be done, while there is no engine. */
  readonly #waiting: Uint8Array[] = []
  readonly #later: (() => void)[] = []

  constructor(document: DocumentId, generation: number, tell: (input: DriverInput) => void) {
    this.document = document
    this.generation = generation
    this.#tell = tell
  }

  /** Stands on the app's replica from now on; without one, on one of its own. */
  async standOn(own: Replica | undefined): Promise<void> {
    const before = this.#engine
    if (own === undefined && before !== undefined && !this.#isOwn) return
    if (own !== undefined && own === before) return
    if (before !== undefined) this.#waiting.unshift(before.state())
    this.#engine = undefined
    this.#isOwn = own !== undefined
    const engine = own ?? (await hiddenReplica(this.document))
    // Another was asked for meanwhile.
    if (this.#engine !== undefined || this.#isOwn !== (own !== undefined)) return
    this.#engine = engine
    const waiting = this.#waiting.splice(0)
    if (waiting.length > 0) guarded(() => engine.apply(waiting))
    for (const run of this.#later.splice(0)) guarded(run)
  }

  /** Calls `run` with all there is of the document, at once or as soon as that can be said. */
  whole(run: (state: Uint8Array) => void): void {
    if (this.#engine === undefined) this.#later.push(() => this.whole(run))
    else run(this.#engine.state())
  }

  /** Another tab's updates, which are in storage. */
  show(updates: readonly Uint8Array[]): void {
    if (this.#engine === undefined) this.#waiting.push(...updates)
    else this.#engine.apply(updates)
  }

  apply(updates: readonly Uint8Array[]): void {
    this.show(updates)
    this.#tell({ type: "delivered", document: this.document, updates })
  }

  resume(): Resume {
    return this.#engine?.resume() ?? { type: "nothing" }
  }

  state(): Uint8Array {
    if (this.#engine === undefined) throw new Error("the document changes hands")
    return this.#engine.state()
  }

  lacking(summary: Uint8Array, outgoing: readonly Uint8Array[]): Uint8Array | undefined {
    return this.#engine?.lacking(summary, outgoing)
  }

  onPresence(entries: readonly PresenceEntry[]): void {
    this.#tell({ type: "presence-heard", document: this.document, entries })
  }

  onStatus(status: CoreStatus): void {
    this.#tell({ type: "status-changed", document: this.document, status })
  }

  onClosed(): void {
    this.#engine = undefined
  }
}

/** A document's handle that nobody has, for what its replica does. */
function hiddenReplica(document: DocumentId): Promise<Replica> {
  const { engine, name } = partsOfDocumentId(document)
  return new Promise((resolve, reject) => {
    const driver: DocumentDriver = {
      isClosed: false,
      open: (replica) => {
        resolve(replica)
        return Promise.resolve()
      },
      detach: () => undefined,
      hand: () => undefined,
      saved: () => Promise.resolve(),
    }
    const onEnd = (): void => undefined
    const handle =
      engine === "yjs"
        ? new YjsDocument(driver, document, name, onEnd)
        : new AutomergeDocument<unknown>(driver, document, name, onEnd)
    handle.loaded.catch(reject)
  })
}
