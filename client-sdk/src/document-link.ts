/**
 * What every document handle has in common: its place in the driver, its status and presence,
 * and the promises an app waits for.
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { DocumentDriver } from "./client-driver.ts"
import { documentStatusOf, initialStatus } from "./document-status.ts"
import type { DocumentStatus } from "./document-status.ts"
import { closedError } from "./driver.ts"
import { State } from "./observable.ts"
import { Presence } from "./presence.ts"
import type { Content, Replica } from "./replica.ts"
import type { Tier } from "./saves.ts"

export class DocumentLink {
  readonly document: DocumentId
  readonly status: State<DocumentStatus> = new State(initialStatus)
  readonly presence: Presence
  /** Settled once the handle lets go of the document. */
  readonly closed: Promise<void>
  readonly #driver: DocumentDriver
  readonly #onEnd: () => void
  readonly #onClosed: () => void
  /** Typed before storage was read: it is of whatever generation is there. */
  readonly #early: Uint8Array[] = []
  #replica: Replica | undefined
  #isOpen = false
  #ended = false

  constructor(
    driver: DocumentDriver,
    document: DocumentId,
    clientOf: () => number,
    onEnd: () => void,
  ) {
    this.#driver = driver
    this.document = document
    this.#onEnd = onEnd
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#onClosed = resolve
    this.presence = new Presence(clientOf, (state) => {
      const client = clientOf()
      this.#hand({ type: "local-presence", document, client, state })
    })
  }

  /** True once nothing is sent any more: the handle or the client was closed. */
  get isEnded(): boolean {
    return this.#ended || this.#driver.isClosed
  }

  /** Waits for storage, and opens the document; `onClosed` is called if the client closes. */
  async open(content: Content, onClosed: () => void): Promise<void> {
    const replica: Replica = {
      ...content,
      document: this.document,
      isAhead: () => this.#early.length > 0,
      onPresence: (entries) => this.presence.receive(entries),
      onStatus: (status) => this.status.set(documentStatusOf(status)),
      onClosed,
    }
    this.#replica = replica
    await this.#driver.open(replica, () => !this.#ended)
    this.#sendEarly()
    this.presence.announce()
  }

  send(bytes: Uint8Array): void {
    if (this.#isOpen) this.#hand({ type: "local-update", document: this.document, bytes })
    else this.#early.push(bytes)
  }

  #sendEarly(): void {
    this.#isOpen = true
    // Also while the client closes, which waits for that.
    for (const bytes of this.#early.splice(0)) {
      this.#driver.hand({ type: "local-update", document: this.document, bytes })
    }
  }

  async saved(tier: Tier): Promise<void> {
    if (this.#ended) throw closedError()
    await this.#driver.saved(this.document, tier)
  }

  /** Lets go of the document; what is pending is still sent. */
  end(): void {
    if (this.#ended) return
    this.#sendEarly()
    this.#ended = true
    if (this.#replica !== undefined) this.#driver.detach(this.#replica)
    this.#onEnd()
    this.#onClosed()
  }

  #hand(input: Parameters<DocumentDriver["hand"]>[0]): void {
    if (!this.#ended && !this.#driver.isClosed) this.#driver.hand(input)
  }
}
