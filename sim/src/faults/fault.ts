/**
 * A fault is a small plain object: what it is called, what it models, how often and how long, and
 * how to do it. The seed draws whether a run has it and at which rate (swarm testing); the driver
 * in `schedule.ts` does the rest. To add one, write an object and list it in `index.ts`.
 */
import type { Millis } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { HostId } from "../reachability.ts"
import type { World } from "../world.ts"

/** Kinds of faults as the field counts them: a line each of the scoreboard. */
export const scoreboardRows = [
  "message drop",
  "delay",
  "reorder between links",
  "duplicate",
  "one-way partition",
  "flapping, swizzle-clog",
  "halves, isolate, bridge, ring, majorities",
  "client-side split, moving clients",
  "crash losing unsynced writes",
  "torn write",
  "disk full",
  "disk corruption",
  "slow disk",
  "clock skew and jumps",
  "process pause",
  "wipe, restored backup, cloned disk",
  "rolling upgrade (two protocol versions)",
  "slow receiver",
  "connection storm",
  "malformed and hostile peer or client",
  "client crash and storage",
  "deletion and zombies",
] as const
export type ScoreboardRow = (typeof scoreboardRows)[number]

/**
 * What ends it, with the one host it concerns, or whether it hinders hosts that must be well: if
 * it does not, it outlasts the safety phase while a core has to converge. Without a word about that
 * it ends there. `done`: it has no end, or ends by itself; `skipped`: it could not be done now.
 */
export type Injected =
  | (() => void)
  | { readonly host: HostId; readonly end: () => void }
  | { readonly hinders: (well: ReadonlySet<HostId>) => boolean; readonly end: () => void }
  | "done"
  | "skipped"

export type Fault = {
  readonly name: string
  /** One sentence: what in the world looks like this. */
  readonly explain: string
  readonly row: ScoreboardRow
  /** Mean time between two occurrences: the seed draws it from this range. */
  readonly everyMs: readonly [Millis, Millis]
  /** How long one occurrence lasts, at least and at most. */
  readonly lastsMs: readonly [Millis, Millis]
  readonly inject: (world: World, random: SimRandom, lastsMs: Millis) => Injected
}
