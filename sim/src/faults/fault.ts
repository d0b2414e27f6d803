/**
 * A fault is a small plain object: what it is called, what it models, how often and how long, and
 * how to do it. The seed draws whether a run has it and at which rate (swarm testing); the driver
 * in `schedule.ts` does the rest. To add one, write an object and list it in `index.ts`.
 */
import type { Millis } from "@causeway/crdt/base"
import type { ClientDisk } from "../client-disk.ts"
import type { Network } from "../network.ts"
import type { SimHostile } from "../sim-hostile.ts"
import type { SimRandom } from "../random.ts"
import type { Scheduler } from "../scheduler.ts"
import type { SimNode } from "../sim-node.ts"
import type { SimWriter } from "../writer.ts"

/** What a fault may lay hands on. */
export type FaultWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly nodes: readonly SimNode[]
  readonly writers: readonly SimWriter[]
  readonly clientDisks: readonly ClientDisk[]
  readonly hostile: SimHostile
}

export type Fault = {
  readonly name: string
  /** One sentence: what in the world looks like this. */
  readonly explain: string
  /** Mean time between two occurrences: the seed draws it from this range. */
  readonly everyMs: readonly [Millis, Millis]
  /** How long one occurrence lasts, at least and at most. */
  readonly lastsMs: readonly [Millis, Millis]
  /** Does it, and gives what ends it. Undefined: it has no end, or could not be done now. */
  readonly inject: (
    world: FaultWorld,
    random: SimRandom,
    lastsMs: Millis,
  ) => (() => void) | undefined
}
