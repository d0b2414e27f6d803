/** Two things a user wants to know, kept apart: is there a connection, and what is saved where. */
import { SyncError } from "@causeway/client"
import type { ConnectionStatus, DocumentStatus, Tier } from "@causeway/client"
import { useClient, useConnection, useStatus } from "@causeway/client/react"
import { useEffect } from "react"
import type { ReactElement } from "react"
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

/** An offline client that will not try again by itself is so because it was told to be. */
function isWanted(connection: ConnectionStatus): boolean {
  return connection.state === "offline" && connection.retryAtMs === undefined
}

const tiers: readonly { readonly tier: Tier; readonly label: string }[] = [
  { tier: "local", label: "Here" },
  { tier: "node", label: "A server" },
  { tier: "quorum", label: "Most servers" },
  { tier: "all", label: "All servers" },
]

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

function wordsForConnection(connection: ConnectionStatus): string {
  switch (connection.state) {
    case "connecting":
      return "Connecting …"
    case "connected":
      return `Connected to ${new URL(connection.url).host}`
    case "offline":
      return isWanted(connection) ? "Offline, as you asked" : "No connection, trying again"
    case "needs-token":
      return "Sign in to connect"
    case "closed":
      return `Disconnected: ${connection.why.reason}`
  }
}

function wordsForSaved({ savedTo, pending, quorum, all }: DocumentStatus): string {
  switch (savedTo) {
    case "memory":
      return "Saving …"
    case "local":
      if (pending === 0) return "Not on a server yet"
      return `${pending} ${pending === 1 ? "change" : "changes"} to send`
    case "node":
      return quorum.state === "pending" ? `On a server, ${short(quorum.why)}` : "On a server"
    case "quorum":
      return all.state === "pending" ? `On most servers, ${short(all.why)}` : "On most servers"
    case "all":
      return "Saved everywhere"
  }
}

/** `waiting for n2 (not reached since 2026-…)` without the time. */
function short(why: string): string {
  return why.replaceAll(/ since [^),]+/g, "")
}
