/** Two things a user wants to know, kept apart: is there a connection, and what is saved where. */
import { SyncError } from "@causeway/client"
import type { ConnectionStatus, DocumentStatus } from "@causeway/client"
import { useClient, useConnection, useStatus } from "@causeway/client/react"
import { useEffect } from "react"
import type { ReactElement } from "react"
import { isWanted, tiers, wordsForConnection, wordsForSaved } from "../words.ts"
import type { TodoList } from "./todos.ts"

export function StatusBar({ list }: { readonly list: TodoList }): ReactElement {
  const connection = useConnection()
  const status = useStatus(list)
  // Once asked for, the status tells of the higher tiers for all that is changed later, too.
  useEffect(() => {
    for (const tier of ["quorum", "all"] as const) {
      list.saved(tier).catch((error: unknown) => {
        if (!(error instanceof SyncError)) throw error
      })
    }
  }, [list])
  return (
    <section className="status" aria-label="Status">
      <p className="connection" data-state={connection.state} role="status">
        {wordsForConnection(connection)}
      </p>
      <OfflineSwitch connection={connection} />
      <p className="saved" data-state={status.savedTo} role="status">
        {status.error?.message ?? wordsForSaved(status)}
      </p>
      <Tiers reached={status.savedTo} />
    </section>
  )
}

function OfflineSwitch({ connection }: { readonly connection: ConnectionStatus }): ReactElement {
  const client = useClient()
  const isOffline = isWanted(connection)
  return (
    <button
      type="button"
      role="switch"
      className="offline"
      aria-checked={isOffline}
      onClick={() => (isOffline ? client?.goOnline() : client?.goOffline())}
    >
      <span className="track" aria-hidden="true" />
      Work offline
    </button>
  )
}

function Tiers({ reached }: { readonly reached: DocumentStatus["savedTo"] }): ReactElement {
  const last = tiers.findIndex(({ tier }) => tier === reached)
  return (
    <ol className="tiers" aria-label="Where it is saved">
      {tiers.map(({ tier, label }, index) => (
        <li
          key={tier}
          data-reached={index <= last}
          aria-label={`${label}: ${index <= last ? "saved" : "not yet"}`}
        >
          {label}
        </li>
      ))}
    </ol>
  )
}
