/** Documents of components: open while one of them is mounted. */
import { useCallback, useSyncExternalStore } from "react"
import type { AutomergeDocument, YjsDocument } from "../index.ts"
import { currentHandle, holdDocument } from "./documents.ts"
import type { Engine, Handle } from "./documents.ts"
import { useClient } from "./provider.ts"
import { nothingToObserve } from "./store.ts"

/**
 * Keeps a document open while the component is mounted. Undefined on a server and in the first
 * render, since rendering alone opens nothing; all hooks that take a document take that too. A
 * handle that the app closes is followed by a fresh one. A document that the app has opened itself
 * as well is closed with the last component: give such a handle to the other hooks instead.
 * @throws TypeError without a provider, or if the name is empty or over 512 bytes.
 */
export function useDocument(engine: "yjs", name: string): YjsDocument | undefined
export function useDocument<T>(engine: "automerge", id: string): AutomergeDocument<T> | undefined
export function useDocument(engine: Engine, name: string): Handle | undefined {
  const client = useClient()
  const subscribe = useCallback(
    (listener: () => void) => {
      if (client === undefined || client.isClosed) return nothingToObserve()
      return holdDocument(client, engine, name, listener)
    },
    [client, engine, name],
  )
  return useSyncExternalStore(
    subscribe,
    () => (client === undefined ? undefined : currentHandle(client, engine, name)),
    () => undefined,
  )
}
