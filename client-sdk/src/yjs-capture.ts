/**
 * What the app does in a Y.Doc, as updates to send: each transaction's once, whoever throws or
 * closes the handle meanwhile. Yjs encodes what a transaction did if anybody listens, which for
 * what storage had costs as much as applying it: so nobody does while a transaction is ours.
 */
import { encodeShown } from "@causeway/crdt/engines/yjs"
import * as Y from "yjs"
import { guarded } from "./observable.ts"
import type { ResilientDoc } from "./resilient-doc.ts"

export class YjsCapture {
  readonly #ydoc: ResilientDoc
  readonly #send: (update: Uint8Array) => void
  /** Transactions with nothing in them but what came from storage or a node. */
  readonly #remote = new WeakSet<Y.Transaction>()
  #lastSent: Y.Transaction | undefined

  constructor(ydoc: ResilientDoc, send: (update: Uint8Array) => void) {
    this.#ydoc = ydoc
    this.#send = send
    ydoc.on("afterTransactionCleanup", this.#onTransaction)
  }

  /** Stops; what was written until now is sent, also in a transaction that is not over. */
  end(): void {
    const { unended } = this.#ydoc
    const unsent = unended.slice(
      this.#lastSent === undefined ? 0 : unended.indexOf(this.#lastSent) + 1,
    )
    const [first] = unsent
    if (first !== undefined && !unsent.every((each) => this.#remote.has(each))) {
      this.#send(encodeShown(this.#ydoc, Y.encodeStateVector(first.beforeState)))
    }
    this.#ydoc.off("afterTransactionCleanup", this.#onTransaction)
    this.#ydoc.off("update", this.#onUpdate)
  }

  /** Applies what is not to be sent. @throws if Yjs refuses it. */
  applyRemote(updates: readonly Uint8Array[], origin: unknown): void {
    if (updates.length === 0) return
    let isApplied = false
    const applyAll = (transaction: Y.Transaction): void => {
      // A listener of `beforeTransaction` may have written in it, or the app have begun it.
      const isEmpty = transaction.changed.size + transaction.deleteSet.clients.size === 0
      if (isEmpty && transaction.origin === origin) this.#remote.add(transaction)
      for (const update of updates) Y.applyUpdate(this.#ydoc, update, origin)
      isApplied = true
    }
    try {
      this.#ydoc.transact(applyAll, origin)
    } catch (error) {
      if (!isApplied) throw error
      // An observer's: the app hears of it, and the update is there.
      guarded(() => {
        throw error
      })
    }
  }

  /** The last thing that happens before Yjs tells of an update. */
  readonly #onTransaction = (transaction: Y.Transaction): void => {
    if (this.#remote.has(transaction)) this.#ydoc.off("update", this.#onUpdate)
    else this.#ydoc.onUpdateFirst(this.#onUpdate)
  }

  readonly #onUpdate = (
    update: Uint8Array,
    _origin: unknown,
    _ydoc: Y.Doc,
    transaction: Y.Transaction,
  ): void => {
    this.#lastSent = transaction
    this.#send(update)
  }
}
