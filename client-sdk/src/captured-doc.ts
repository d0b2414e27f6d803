/**
 * A Y.Doc that hands over what the app does in it, each transaction once, whoever throws or closes
 * the handle meanwhile. In a plain one a listener that throws keeps those behind it from hearing of
 * an update, and Yjs never ends the transaction: nobody hears of any later one. Only of
 * `afterTransaction` Yjs takes care, so what is thrown there reaches who made the transaction;
 * anything else becomes an uncaught error.
 */
import { encodeShown } from "@causeway/crdt/engines/yjs"
import * as Y from "yjs"
import { guarded } from "./observable.ts"

type Listener = (...args: unknown[]) => void

export class CapturedDoc extends Y.Doc {
  readonly #send: (update: Uint8Array) => void
  /** Transactions of which nothing is left to send: remote ones, and those that were sent. */
  readonly #settled = new WeakSet<Y.Transaction>()

  constructor(send: (update: Uint8Array) => void) {
    super()
    this.#send = send
    this.on("afterTransactionCleanup", this.#onTransaction)
  }

  override emit(...[name, args]: Parameters<Y.Doc["emit"]>): void {
    // oxlint-disable-next-line no-underscore-dangle -- Yjs names its internals so.
    const listeners: Listener[] = [...(this._observers.get(name) ?? [])]
    for (const listener of listeners) {
      if (name === "afterTransaction") listener(...args)
      else guarded(() => listener(...args))
    }
  }

  /** Applies what is not to be sent. @throws if Yjs refuses it. */
  applyRemote(updates: readonly Uint8Array[], origin: unknown): void {
    if (updates.length === 0) return
    let isApplied = false
    const applyAll = (transaction: Y.Transaction): void => {
      // A listener of `beforeTransaction` may have written in it, or the app have begun it.
      const isEmpty = transaction.changed.size + transaction.deleteSet.clients.size === 0
      if (isEmpty && transaction.origin === origin) this.#settled.add(transaction)
      for (const update of updates) Y.applyUpdate(this, update, origin)
      isApplied = true
    }
    try {
      this.transact(applyAll, origin)
    } catch (error) {
      if (!isApplied) throw error
      // An observer's: the app hears of it, and the update is there.
      guarded(() => {
        throw error
      })
    }
  }

  /** Hands over what was written until now, also in a transaction that is not over: it ends. */
  endCapture(): void {
    // oxlint-disable-next-line no-underscore-dangle -- as above.
    const first = this._transactionCleanups.find((each) => !this.#settled.has(each))
    if (first !== undefined) this.#send(encodeShown(this, Y.encodeStateVector(first.beforeState)))
    this.off("afterTransactionCleanup", this.#onTransaction)
    this.off("update", this.#onUpdate)
  }

  /**
   * The last thing before Yjs tells of an update. It encodes what a transaction did if anybody
   * listens, which for what storage had costs as much as applying it: so then nobody does.
   */
  readonly #onTransaction = (transaction: Y.Transaction): void => {
    if (this.#settled.has(transaction)) this.off("update", this.#onUpdate)
    else this.on("update", this.#onUpdate)
  }

  readonly #onUpdate = (...[update, , , transaction]: OnUpdateArguments): void => {
    this.#settled.add(transaction)
    this.#send(update)
  }
}

type OnUpdateArguments = [Uint8Array, unknown, Y.Doc, Y.Transaction]
