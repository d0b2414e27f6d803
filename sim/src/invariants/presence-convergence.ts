/**
 * Presence, once all is well: everybody who has a document open sees the same cursors, those of
 * all who are there, as they said last, and of nobody else. Who left unnoticed is gone after the
 * time that presence lives without being renewed.
 */
import { limits } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import { demand } from "../violation.ts"
import type { World } from "../world.ts"
import type { Session, SimWriter } from "../writer.ts"
import type { Invariant } from "./invariant.ts"

/** On any clock, and a round of sweeps and messages after it. */
const WITHIN_MS = limits.presenceTtlMs * 1.12 + 3 * limits.sweepMs + 5000
const POLL_MS = 1000
/** What a stock client says before its user does anything; others may overlook it. */
const SILENT = "{}"

type Present = { readonly writer: SimWriter; readonly session: Session }

function presentIn({ writers }: World, document: DocumentId): Present[] {
  return writers.flatMap((writer) => {
    const session = writer.running ? writer.sessionOf(document) : undefined
    return session?.current === true ? [{ writer, session }] : []
  })
}

/** Why somebody sees something else than is there; undefined if nobody does. */
function strangeness(world: World): string | undefined {
  for (const document of world.documents) {
    const present = presentIn(world, document)
    const said = new Map<number, string>()
    for (const { session } of present) {
      const { presenceClient } = session.replica
      const own = session.cursors.get(presenceClient)
      if (own !== undefined) said.set(presenceClient, own)
    }
    for (const { writer, session } of present) {
      for (const [client, state] of said) {
        if (state === SILENT) continue
        const shown = session.cursors.get(client)
        if (shown !== state)
          return `${writer.name} in ${document} sees ${client} at ${shown}, not ${state}`
      }
      for (const [client, state] of session.cursors) {
        if (said.has(client)) continue
        return `${writer.name} in ${document} sees ${client} at ${state}, who is not there`
      }
    }
  }
  return undefined
}

export const presenceConvergence: Invariant = {
  name: "presence-convergence",
  explain: "once all is well everybody sees the cursors of those who are there, and no others",
  watch: (world) => ({
    onRest() {
      const { scheduler } = world
      const untilMs = scheduler.nowMs + WITHIN_MS
      let why = strangeness(world)
      while (why !== undefined && scheduler.nowMs < untilMs) {
        scheduler.runUntil(scheduler.nowMs + POLL_MS)
        why = strangeness(world)
      }
      demand(why === undefined, "presence-convergence", () => {
        return `after ${Math.round(WITHIN_MS)} ms of rest: ${why}`
      })
    },
  }),
}
