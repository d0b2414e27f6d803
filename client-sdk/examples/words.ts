/** What the pages say to their user, two facts kept apart: is there a connection, what is saved. */
import type { ConnectionStatus, DocumentStatus, Tier } from "@causeway/client"

export const tiers: readonly { readonly tier: Tier; readonly label: string }[] = [
  { tier: "local", label: "Here" },
  { tier: "node", label: "A server" },
  { tier: "quorum", label: "Most servers" },
  { tier: "all", label: "All servers" },
]

/** An offline client that will not try again by itself is so because it was told to be. */
export function isWanted(connection: ConnectionStatus): boolean {
  return connection.state === "offline" && connection.retryAtMs === undefined
}

export function wordsForConnection(connection: ConnectionStatus): string {
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

export function wordsForSaved({ savedTo, pending, quorum, all }: DocumentStatus): string {
  switch (savedTo) {
    case "memory":
      return "Saving …"
    case "local":
      if (pending === 0) return "Not on a server yet"
      return `${pending} ${pending === 1 ? "change" : "changes"} to send, safe here`
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
