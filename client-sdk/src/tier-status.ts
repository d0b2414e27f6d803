/** Where a document's updates are beyond one node, as the app sees it: with a reason in words. */
import type { DocumentStatus, TierState, WaitingFor } from "@causeway/crdt/client"
import { isoTime } from "./environment.ts"

export type { WaitingFor } from "@causeway/crdt/client"

/** Whether everything typed so far has come to a tier that `saved` was called with. */
export type TierStatus =
  /** Nobody called `saved` with that tier so far. */
  | { readonly state: "unasked" }
  | { readonly state: "saved" }
  /** `why` says whom it waits for; `waitingFor` the same as data, if the node said so. */
  | {
      readonly state: "pending"
      readonly why: string
      readonly waitingFor: readonly WaitingFor[]
    }
  /** It can't be known any more for what is typed so far; later updates can get there. */
  | { readonly state: "lost"; readonly why: string }
  /** The node is of an older build. */
  | { readonly state: "unknown"; readonly why: string }

export const lostWhy =
  "the node that took it lost it; what open documents hold was sent anew where nodes lacked it"
export const unknownWhy = "the node is of an older build, which does not know where else it is"

export function tierStatusOf(state: TierState, { pending }: DocumentStatus): TierStatus {
  switch (state.state) {
    case "unasked":
    case "saved":
      return state
    case "lost":
      return { state: "lost", why: lostWhy }
    case "unknown":
      return { state: "unknown", why: unknownWhy }
    case "pending": {
      const { connected, waitingFor } = state
      return { state: "pending", why: whyOf(connected, waitingFor, pending), waitingFor }
    }
  }
}

function whyOf(connected: boolean, waitingFor: readonly WaitingFor[], pending: number): string {
  if (!connected) return "waiting for a connection"
  if (waitingFor.length > 0) return `waiting for ${waitingFor.map(wordsFor).join(", ")}`
  return pending > 0 ? "waiting for the node to save it" : "waiting for other nodes"
}

function wordsFor({ member, linked, sinceMs }: WaitingFor): string {
  return linked
    ? `${member} (linked, has not said that it has it)`
    : `${member} (not reached since ${isoTime(sinceMs)})`
}
