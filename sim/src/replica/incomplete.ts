/**
 * The parts of updates that a Y.Doc keeps until their predecessors come. Yjs reads, merges and
 * writes all of them again with each update that it applies; here they are put aside while many
 * are applied, and merged once, and read once if something that they wait for came. In the end
 * the document holds the same.
 */
import * as Y from "yjs"

type Structs = NonNullable<Y.Doc["store"]["pendingStructs"]>

export class Incomplete {
  readonly #doc: Y.Doc
  #structs: Structs[] = []
  #deletions: Uint8Array[] = []

  constructor(doc: Y.Doc) {
    this.#doc = doc
    this.take()
  }

  /** Puts aside what the document keeps now. */
  take(): void {
    const { store } = this.#doc
    if (store.pendingStructs !== null) this.#structs.push(store.pendingStructs)
    if (store.pendingDs !== null) this.#deletions.push(store.pendingDs)
    store.pendingStructs = null
    store.pendingDs = null
  }

  /** Applies what may have been completed, and says whether that brought anything. */
  apply(origin: unknown): boolean {
    const brings = this.#structs.some(({ missing }) => this.#hasCome(missing))
    if (brings) {
      const merged = merge(this.#structs.map(({ update }) => update))
      this.#structs = []
      if (merged !== undefined) Y.applyUpdateV2(this.#doc, merged, origin)
      this.take()
    }
    return brings
  }

  /** Gives the document back what it has to keep. Nothing says what deletions wait for. */
  giveBack(origin: unknown): void {
    const deletions = merge(this.#deletions)
    this.#deletions = []
    if (deletions !== undefined) Y.applyUpdateV2(this.#doc, deletions, origin)
    const [first, ...others] = this.#structs
    this.#structs = []
    if (first === undefined) return
    const missing = new Map(first.missing)
    for (const other of others) {
      for (const [client, clock] of other.missing) {
        missing.set(client, Math.min(clock, missing.get(client) ?? clock))
      }
    }
    const update = merge([first, ...others].map((one) => one.update)) ?? first.update
    this.#doc.store.pendingStructs = { missing, update }
  }

  #hasCome(missing: Structs["missing"]): boolean {
    for (const [client, clock] of missing) {
      if (clock < Y.getState(this.#doc.store, client)) return true
    }
    return false
  }
}

function merge(updates: readonly Uint8Array[]): Uint8Array | undefined {
  return updates.length > 1 ? Y.mergeUpdatesV2([...updates]) : updates[0]
}
