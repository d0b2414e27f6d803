/**
 * A Y.Doc that goes on whatever its listeners throw. In a plain one a listener that throws keeps
 * those behind it from hearing of an update, and Yjs never ends the transaction: nobody hears of
 * any later one. Only of `afterTransaction` Yjs takes care, so what is thrown there reaches who
 * made the transaction; anything else becomes an uncaught error.
 */
import * as Y from "yjs"
import { guarded } from "./observable.ts"

type OnUpdate = (update: Uint8Array, origin: unknown, ydoc: Y.Doc, made: Y.Transaction) => void
type Listener = (...args: unknown[]) => void

export class ResilientDoc extends Y.Doc {
  /** Transactions that are not over, or that not everybody was told of, in their order. */
  get unended(): readonly Y.Transaction[] {
    // oxlint-disable-next-line no-underscore-dangle -- Yjs names its internals so.
    return this._transactionCleanups
  }

  override emit(...[name, args]: Parameters<Y.Doc["emit"]>): void {
    for (const listener of listenersOf(this, name)) {
      if (name === "afterTransaction") listener(...args)
      else guarded(() => listener(...args))
    }
  }

  /** Adds a listener that hears of updates before all others. */
  onUpdateFirst(listener: OnUpdate): void {
    const others = listenersOf(this, "update")
    for (const other of others) this.off("update", other)
    for (const each of [listener, ...others]) this.on("update", each)
  }
}

function listenersOf(ydoc: Y.Doc, name: string): Listener[] {
  // oxlint-disable-next-line no-underscore-dangle -- as above.
  return [...(ydoc._observers.get(name) ?? [])]
}
