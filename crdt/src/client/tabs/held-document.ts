/**
 * A document of the tab that leads, as its driver has it for all tabs. It stands on the app's own
 * replica if this tab has the document open too, so that a tab that is alone has it once; else on
 * one that nobody sees. What comes while it changes over waits. Rule [H2].
 */
import type { DocumentId } from "../../base/index.ts"
import type { DriverInput } from "./leader.ts"

/** A replica as it is stood on. */
export interface Footing {
  apply(updates: readonly Uint8Array[]): void
  /** The whole document. */
  state(): Uint8Array
}

export class HeldDocument<Replica extends Footing> {
  readonly document: DocumentId
  readonly #tell: (input: DriverInput) => void
  #replica: Replica | undefined
  #isOwn = false
  readonly #waiting: Uint8Array[] = []
  readonly #later: ((replica: Replica) => void)[] = []

  constructor(document: DocumentId, tell: (input: DriverInput) => void) {
    this.document = document
    this.#tell = tell
  }

  /** Undefined while it changes over. */
  get replica(): Replica | undefined {
    return this.#replica
  }

  /** Stands on the app's replica from now on; without one, on what `make` gives some time. */
  standOn(own: Replica | undefined, make: (ready: (replica: Replica) => void) => void): void {
    const before = this.#replica
    if (own === undefined && before !== undefined && !this.#isOwn) return
    if (own !== undefined && own === before) return
    if (before !== undefined) this.#waiting.unshift(before.state())
    this.#replica = undefined
    this.#isOwn = own !== undefined
    if (own !== undefined) return this.#stand(own)
    make((replica) => {
      // Another was asked for meanwhile.
      if (this.#replica === undefined && !this.#isOwn) this.#stand(replica)
    })
  }

  #stand(replica: Replica): void {
    this.#replica = replica
    const waiting = this.#waiting.splice(0)
    try {
      if (waiting.length > 0) replica.apply(waiting)
    } finally {
      for (const run of this.#later.splice(0)) run(replica)
    }
  }

  /** Calls `run` at once, or as soon as there is a replica. */
  onceStanding(run: (replica: Replica) => void): void {
    if (this.#replica === undefined) this.#later.push(run)
    else run(this.#replica)
  }

  /** Another tab's updates, which are in storage. */
  show(updates: readonly Uint8Array[]): void {
    if (this.#replica === undefined) this.#waiting.push(...updates)
    else this.#replica.apply(updates)
  }

  /** A node's. */
  deliver(updates: readonly Uint8Array[]): void {
    this.show(updates)
    this.#tell({ type: "delivered", document: this.document, updates })
  }

  end(): void {
    this.#replica = undefined
  }
}
