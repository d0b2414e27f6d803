/** What documents hold, as values that stay the same until it changes. */
import type { Doc } from "@automerge/automerge"
import { useMemo, useSyncExternalStore } from "react"
import type { Doc as YDoc } from "yjs"
import type { AutomergeDocument, Conflict, YjsDocument } from "../index.ts"
import { nothingToObserve, Store } from "./store.ts"

/** A Y.Text of the document, by its name there; empty until there is one. */
export function useText(note: YjsDocument | undefined, name: string): string {
  const store = useMemo(() => {
    const text = note?.ydoc.getText(name)
    return new Store<string, string>(
      () => text?.toString() ?? "",
      (listener) => {
        text?.observe(listener)
        return () => text?.unobserve(listener)
      },
    )
  }, [note, name])
  return useSyncExternalStore(store.subscribe, () => store.select(itself), noText)
}

/**
 * What `select` takes out of the document, or all of an Automerge document; undefined until it is
 * there. The component renders again only if that differs by value, so that `select` may make new
 * arrays and objects. Of a Yjs document it should give plain data, not shared types.
 */
export function useSnapshot<T>(plan: AutomergeDocument<T> | undefined): Doc<T> | undefined
export function useSnapshot<T, S>(
  plan: AutomergeDocument<T> | undefined,
  select: (doc: Doc<T>) => S,
): S | undefined
export function useSnapshot<S>(
  note: YjsDocument | undefined,
  select: (ydoc: YDoc) => S,
): S | undefined
export function useSnapshot(handle: Handle, select: (doc: never) => unknown = itself): unknown {
  const store = useMemo(() => new Store(() => contentOf(handle), observing(handle)), [handle])
  // cast: the overloads tie what `select` takes to what the handle is of.
  const from = select as (doc: unknown) => unknown
  return useSyncExternalStore(
    store.subscribe,
    () => (select === itself ? store.select(itself, Object.is) : store.select(present(from))),
    () => undefined,
  )
}

/** The document's conflicts, as `AutomergeDocument.conflicts` gives them. */
export function useConflicts<T>(plan: AutomergeDocument<T> | undefined): readonly Conflict[] {
  const store = useMemo(
    () =>
      new Store<readonly Conflict[], readonly Conflict[]>(
        () => plan?.conflicts() ?? none,
        observing(plan),
      ),
    [plan],
  )
  return useSyncExternalStore(
    store.subscribe,
    () => store.select(itself),
    () => none,
  )
}

const none: readonly Conflict[] = []

/** What this needs of either kind of handle. */
type Handle =
  | { readonly ydoc: YDoc }
  | {
      readonly doc: unknown
      readonly loaded: Promise<void>
      readonly subscribe: (listener: () => void) => () => void
    }
  | undefined

function contentOf(handle: Handle): unknown {
  return handle !== undefined && "ydoc" in handle ? handle.ydoc : handle?.doc
}

function present(select: (doc: unknown) => unknown): (doc: unknown) => unknown {
  return (doc) => (doc === undefined ? undefined : select(doc))
}

function observing(handle: Handle): (listener: () => void) => () => void {
  if (handle === undefined) return nothingToObserve
  if ("ydoc" in handle) {
    const { ydoc } = handle
    return (listener) => {
      ydoc.on("update", listener)
      return () => ydoc.off("update", listener)
    }
  }
  return (listener) => {
    const end = handle.subscribe(listener)
    // An empty document is there without a change.
    handle.loaded.then(listener, () => undefined)
    return end
  }
}

function itself<T>(value: T): T {
  return value
}

function noText(): string {
  return ""
}
