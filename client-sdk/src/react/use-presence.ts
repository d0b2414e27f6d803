/** Who else has the document open. */
import { useEffect, useMemo, useSyncExternalStore } from "react"
import type { Presence, PresenceState } from "../index.ts"
import { nothingToObserve, Store } from "./store.ts"

/** Somebody who has said that they are there: a client number, and what they said. */
export type Present = { readonly client: number; readonly state: PresenceState }

type WithPresence = { readonly presence: Presence } | undefined

/**
 * Everybody else who is there, by client number. With `mine`, this client is there too while the
 * component is mounted; one component of a document should say so. Null is nobody.
 * @throws TypeError if `mine` is no JSON or over 16 KiB of it.
 */
export function usePresence(
  handle: WithPresence,
  mine: PresenceState | null = null,
): readonly Present[] {
  const presence = handle?.presence
  const said = JSON.stringify(mine)
  useEffect(() => {
    if (said === "null" || presence === undefined) return undefined
    // Parsed anew, so that an equal state in a new object is not said again.
    presence.setLocalState(stateOf(said))
    return () => presence.setLocalState(null)
  }, [presence, said])
  const store = useMemo(() => storeOf(presence), [presence])
  return useSyncExternalStore(
    store.subscribe,
    () => store.select(itself),
    () => nobody,
  )
}

const nobody: readonly Present[] = []

function storeOf(presence: Presence | undefined): Store<readonly Present[], readonly Present[]> {
  if (presence === undefined) return new Store(() => nobody, nothingToObserve)
  return new Store(
    () => othersOf(presence),
    (listener) => presence.subscribe(listener),
  )
}

function othersOf(presence: Presence): readonly Present[] {
  return [...presence.current]
    .filter(([client]) => client !== presence.clientID)
    .map(([client, state]) => ({ client, state }))
    .toSorted((left, right) => left.client - right.client)
}

function stateOf(said: string): PresenceState {
  const state: unknown = JSON.parse(said)
  if (typeof state !== "object" || state === null) throw new TypeError("a state is an object")
  return Object.fromEntries(Object.entries(state))
}

function itself<T>(value: T): T {
  return value
}
