/** Every invariant there is. A violation names one of them. */
import { boundedWindows } from "./bounded-windows.ts"
import { boundedWork } from "./bounded-work.ts"
import { deletedForGood } from "./deleted-for-good.ts"
import { equalVectorsEqualContent } from "./equal-vectors-equal-content.ts"
import { foldHonesty } from "./fold-honesty.ts"
import { freshnessHonesty } from "./freshness-honesty.ts"
import { idempotence } from "./idempotence.ts"
import type { Invariant } from "./invariant.ts"
import { neverReaders } from "./never-readers.ts"
import { orderlyStop } from "./orderly-stop.ts"
import { partitionReports } from "./partition-reports.ts"
import { presenceConvergence } from "./presence-convergence.ts"
import { proofFirst } from "./proof-first.ts"
import { savedHonesty } from "./saved-honesty.ts"
import { servedIsLogged } from "./served-is-logged.ts"
import { sessionGuarantees } from "./session-guarantees.ts"
import { soundOpenings } from "./sound-openings.ts"
import { tabHonesty } from "./tab-honesty.ts"
import { tierHonesty } from "./tier-honesty.ts"
import { tokenFirst } from "./token-first.ts"
import { vectorHonesty } from "./vector-honesty.ts"

export type { Invariant } from "./invariant.ts"

export const allInvariants: readonly Invariant[] = [
  {
    name: "nothing-unlogged-seen",
    explain: "what a client or a peer is shown is durable on the node that shows it",
  },
  {
    name: "no-acked-write-lost",
    explain: "an acked write is on the disk that acked it, and in the end on every node",
  },
  {
    name: "no-write-lost",
    explain: "a write whose writer lives, or whose storage does, reaches every node in the end",
  },
  vectorHonesty,
  {
    name: "resume-honesty",
    explain: "a client's resume point never covers an entry that its replica lacks",
  },
  { name: "no-fork", explain: "two contents under one origin and seq need a folder put back" },
  {
    name: "fork-repaired",
    explain: "nodes that hold two branches of an origin say so and settle on one in its budget",
  },
  equalVectorsEqualContent,
  servedIsLogged,
  foldHonesty,
  boundedWork,
  boundedWindows,
  neverReaders,
  orderlyStop,
  presenceConvergence,
  idempotence,
  sessionGuarantees,
  soundOpenings,
  savedHonesty,
  tierHonesty,
  freshnessHonesty,
  proofFirst,
  partitionReports,
  deletedForGood,
  tabHonesty,
  tokenFirst,
  { name: "no-phantom", explain: "nothing is seen or logged that nobody wrote" },
  { name: "logged-once", explain: "an origin logs each numbered update of a client once" },
  { name: "convergence", explain: "after heal and quiet every replica shows the same" },
  { name: "boundedness", explain: "after heal and quiet nothing is left over" },
  { name: "liveness", explain: "after heal everything converges and drains within its budget" },
  { name: "honest-client-refused", explain: "no node refuses a well-behaved client for good" },
  { name: "protocol", explain: "what a core sends makes sense to whoever receives it" },
  { name: "assertion", explain: "no core throws" },
]
