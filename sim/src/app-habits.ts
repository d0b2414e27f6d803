/** What simulated apps wait for, what they write, and what they make of what nodes refused. */
import { limits } from "@causeway/crdt/base"
import { higherTiers } from "@causeway/crdt/client"
import type { HigherTier } from "@causeway/crdt/client"
import type { RejectedUpdate } from "@causeway/crdt/ports"
import { rejectCodes } from "@causeway/crdt/protocol"
import type { Resume } from "@causeway/crdt/protocol"
import type { SimRandom } from "./random.ts"
import type { Replica } from "./replica/replica.ts"

/** Zeros, which Yjs reads as an update that says nothing; shared, as nobody sends it. */
export const tooMuch: Uint8Array = new Uint8Array(limits.updateBytesMax + 1)

/** How many apps wait for a quorum, and how many for all. */
const TIERS = 0.6

export function tiersOf(random: SimRandom): readonly HigherTier[] {
  return higherTiers.filter(() => random.chance(TIERS))
}

/** When an app looks at what was refused, on average. */
export const REJECTED_MS = 4000
const REOPENS = 0.6
/** Of those that do not open the document anew. */
const RETRIES = 0.7
const WRITES_ANEW = 0.3

/** `leave`: on the shelf. */
export type RejectionAnswer = "reopen" | "retry" | "leave" | "dismiss" | "write-anew"

/** What a node may take later is tried again, one way or the other, or stays where it is. */
export function answerTo({ code }: RejectedUpdate, random: SimRandom): RejectionAnswer {
  if (!rejectCodes[code].retry) return random.chance(WRITES_ANEW) ? "write-anew" : "dismiss"
  if (random.chance(REOPENS)) return "reopen"
  return random.chance(RETRIES) ? "retry" : "leave"
}

/** How it says what it holds, if not by a vector. */
export function resumeOf(replica: Replica, random: SimRandom): Resume {
  if (random.chance(0.5)) return { type: "nothing" }
  return { type: "summary", summary: replica.summary() }
}
