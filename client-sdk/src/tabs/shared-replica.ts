/**
 * A document of the tab that leads, for all tabs that have it open: to the driver it is a replica
 * like any other. What it stands on is up to `HeldDocument`.
 */
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentStatus as CoreStatus } from "@causeway/crdt/client"
import { HeldDocument } from "@causeway/crdt/client/tabs"
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
  /** Also once it stands on another, which is given all of it. */
  showsRefused = false
  readonly #tell: (input: DriverInput) => void
  readonly #isTabAhead: () => boolean
  readonly #held: HeldDocument<Replica>

  constructor(
    document: DocumentId,
    generation: number,
    tell: (input: DriverInput) => void,
    isTabAhead: () => boolean,
  ) {
    this.document = document
    this.generation = generation
    this.#tell = tell
    this.#isTabAhead = isTabAhead
    this.#held = new HeldDocument(document, tell)
  }

  /** Also while it changes hands. */
  isAhead(): boolean {
    return this.showsRefused || this.#held.replica?.isAhead() !== false || this.#isTabAhead()
  }

  /** Stands on the app's replica from now on; without one, on one of its own. */
  standOn(own: Replica | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.standOn(own, (ready) => {
        hiddenReplica(this.document).then((replica) => guarded(() => ready(replica)), reject)
      })
      this.#held.onceStanding(() => resolve())
    })
  }

  /** Calls `run` with all there is of the document, at once or as soon as that can be said. */
  whole(run: (state: Uint8Array) => void): void {
    this.#held.onceStanding((replica) => guarded(() => run(replica.state())))
  }

  /** A handle that is loaded right now hands in what was typed before in a microtask. */
  whenSettled(run: () => void): void {
    this.#held.onceStanding(() => queueMicrotask(run))
  }

  show(updates: readonly Uint8Array[]): void {
    this.#held.show(updates)
  }

  apply(updates: readonly Uint8Array[]): void {
    this.#held.deliver(updates)
  }

  /** An app's replica may show what storage lost: only what a node sends comes to be there. */
  resume(): Resume {
    return { type: "nothing" }
  }

  state(): Uint8Array {
    const { replica } = this.#held
    if (replica === undefined) throw new Error("the document changes hands")
    return replica.state()
  }

  lacking(summary: Uint8Array, outgoing: readonly Uint8Array[]): Uint8Array | undefined {
    return this.#held.replica?.lacking(summary, outgoing)
  }

  onPresence(entries: readonly PresenceEntry[]): void {
    this.#tell({ type: "presence-heard", document: this.document, entries })
  }

  onStatus(status: CoreStatus): void {
    this.#tell({ type: "status-changed", document: this.document, status })
  }

  onClosed(): void {
    this.#held.end()
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
