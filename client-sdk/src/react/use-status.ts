/** Statuses as values: a component renders again only if what it selects differs. */
import { useMemo, useSyncExternalStore } from "react"
import { initialStatus } from "../document-status.ts"
import type { DocumentStatus } from "../document-status.ts"
import type { ConnectionStatus, Observable, PendingStatus } from "../index.ts"
import { useClient } from "./provider.ts"
import { nothingToObserve, Store } from "./store.ts"

/** Any document handle, or none yet. */
type WithStatus = { readonly status: Observable<DocumentStatus> } | undefined

/** A document's status, or what `select` takes out of it. */
export function useStatus(handle: WithStatus): DocumentStatus
export function useStatus<S>(handle: WithStatus, select: (status: DocumentStatus) => S): S
export function useStatus(
  handle: WithStatus,
  select: (status: DocumentStatus) => unknown = itself,
): unknown {
  return useObservable(handle?.status, initialStatus, select)
}

/** The client's connection, or what `select` takes out of it; connecting on a server. */
export function useConnection(): ConnectionStatus
export function useConnection<S>(select: (status: ConnectionStatus) => S): S
export function useConnection(select: (status: ConnectionStatus) => unknown = itself): unknown {
  return useObservable(useClient()?.connection, connecting, select)
}

/** What is typed and not acked by a node, over all documents, or what `select` takes out of it. */
export function usePending(): PendingStatus
export function usePending<S>(select: (status: PendingStatus) => S): S
export function usePending(select: (status: PendingStatus) => unknown = itself): unknown {
  return useObservable<PendingStatus, unknown>(useClient()?.pending, nothingPending, select)
}

const connecting: ConnectionStatus = { state: "connecting", url: undefined }
const nothingPending: PendingStatus = { count: 0, bytes: 0, full: false, storageHealthy: true }

function useObservable<T, S>(
  source: Observable<T> | undefined,
  initial: T,
  select: (value: T) => S,
): S {
  const store = useMemo(
    () =>
      new Store<T, S>(
        () => (source === undefined ? initial : source.current),
        source === undefined ? nothingToObserve : (listener) => source.subscribe(listener),
      ),
    [source, initial],
  )
  const onServer = useMemo(() => new Store<T, S>(() => initial, nothingToObserve), [initial])
  return useSyncExternalStore(
    store.subscribe,
    () => store.select(select),
    () => onServer.select(select),
  )
}

function itself<T>(value: T): T {
  return value
}
