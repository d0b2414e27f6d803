/**
 * Presence, once all is well: everybody who has a document open sees the same cursors, those of
 * all who are there, as they said last, and of nobody else. Who left unnoticed is gone soon [N19]
 * [L17], a stock client after the time that presence lives without being renewed; and at once where
 * a node saw them leave. Who is
 * there is seen at their next renewal at the latest; behind a full socket that takes longer.
 */
import { limits } from "@causeway/crdt/base"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import { demand } from "../violation.ts"
import type { World } from "../world.ts"
import type { Session, SimWriter } from "../writer.ts"
import { Departures } from "./departures.ts"
import type { Invariant } from "./invariant.ts"

/** On any clock, and a round of sweeps and messages after it. */
const WITHIN_MS = limits.presenceTtlMs * 1.12 + 3 * limits.sweepMs + 5000
const POLL_MS = 1000
/** What is under way has arrived by then. */
const AT_ONCE_MS = 5000
/** A native client that is lost, on any clock; its node may have been lost and have come back. */
const LOST_MS = limits.presenceSilentMs * 1.12 + limits.presencePingMs * 1.12 + AT_ONCE_MS
/**
 * A node keeps nothing of a document that none of its sessions has open, so whoever opens it there
 * sees those on other nodes when they renew: after 15 s, on any clock.
 */
const SEEN_MS = 15_000 * 1.12 + AT_ONCE_MS
/** A renewal later, nothing is owed because of a full socket. */
const RENEWED_MS = limits.presenceTtlMs
/** What a stock client says before its user does anything; others may overlook it. */
const SILENT = "{}"

type Present = { readonly writer: SimWriter; readonly session: Session }

function presentIn({ writers }: World, document: DocumentId): Present[] {
  return writers.flatMap((writer) => {
    const session = writer.running ? writer.sessionOf(document) : undefined
    return session?.current === true ? [{ writer, session }] : []
  })
}

type Strange = {
  readonly kind: "missing" | "ghost" | "lost" | "departed"
  readonly why: string
  /** Who should see, and who should be seen: either may have come to its node just now. */
  readonly parties: readonly SimWriter[]
}

/** Why somebody sees something else than is there; undefined if nobody does. */
function strangeness(world: World, departures: Departures): Strange | undefined {
  for (const document of world.documents) {
    const present = presentIn(world, document)
    const said = new Map<number, readonly [state: string, by: SimWriter]>()
    for (const { writer, session } of present) {
      const { presenceClient } = session.replica
      const own = session.cursors.get(presenceClient)
      if (own !== undefined) said.set(presenceClient, [own, writer])
    }
    for (const { writer, session } of present) {
      for (const [client, [state, by]] of said) {
        if (state === SILENT) continue
        const shown = session.cursors.get(client)
        if (shown === state) continue
        const why = `${writer.name} in ${document} sees ${client} at ${shown}, not ${state}`
        return { kind: "missing", why, parties: [writer, by] }
      }
      for (const [client, state] of session.cursors) {
        if (said.has(client)) continue
        const why = `${writer.name} in ${document} sees ${client} at ${state}, who is not there`
        const isKnown = departures.isKnownAt(writer.node, client)
        const unnoticed = departures.isNative(client) ? "lost" : "ghost"
        return { kind: isKnown ? "departed" : unnoticed, why, parties: [] }
      }
    }
  }
  return undefined
}

const INVARIANT = "presence-convergence"

export const presenceConvergence: Invariant = {
  name: INVARIANT,
  explain: "once all is well everybody sees the cursors of those who are there, and no others",
  watch: (world) => {
    let congestedMs = -Infinity
    const departures = new Departures(world)
    /** At rest, too, clients go back to the url they like best. */
    const cameMs = new Map<SimWriter, Millis>()
    return {
      onConnected(writer) {
        cameMs.set(writer, world.scheduler.nowMs)
      },
      onNodeInput(node, input) {
        departures.onNodeInput(node, input)
        const { type } = input
        if (type === "congested" || type === "drained") congestedMs = world.scheduler.nowMs
      },
      onRest() {
        const { scheduler } = world
        const fromMs = scheduler.nowMs
        const isOwed = fromMs - congestedMs < RENEWED_MS
        const soonMs = isOwed ? WITHIN_MS : AT_ONCE_MS
        const withinMs = {
          ghost: WITHIN_MS,
          lost: Math.max(soonMs, LOST_MS),
          missing: Math.max(soonMs, SEEN_MS),
          departed: soonMs,
        }
        for (;;) {
          const strange = strangeness(world, departures)
          if (strange === undefined) return
          const sinceMs = strange.parties.map((writer) => cameMs.get(writer) ?? fromMs)
          const restedMs = scheduler.nowMs - Math.max(fromMs, ...sinceMs)
          demand(restedMs < withinMs[strange.kind], INVARIANT, () => {
            return `after ${Math.round(restedMs)} ms of rest: ${strange.why}`
          })
          scheduler.runUntil(scheduler.nowMs + POLL_MS)
        }
      },
    }
  },
}
