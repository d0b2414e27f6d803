/**
 * A run's world as faults, workloads and invariants see it, the built-in ones and anybody's own:
 * hosts, what is between them, and what is known about them.
 */
import type { DocumentId } from "@causeway/crdt/base"
import type { Engines } from "@causeway/crdt/node"
import type { Oracle } from "./checkers/oracle.ts"
import type { ClientDisk } from "./client-disk.ts"
import type { Network } from "./network.ts"
import type { Profile } from "./options.ts"
import type { Scheduler } from "./scheduler.ts"
import type { SimHostile } from "./sim-hostile.ts"
import type { SimNode } from "./sim-node.ts"
import type { SimTab } from "./tabs/sim-tab.ts"
import type { SimWriter } from "./writer.ts"

export type World = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly engines: Engines
  /** What the seed drew. */
  readonly profile: Profile
  readonly nodes: readonly SimNode[]
  /** Clients, native and stock. */
  readonly writers: readonly SimWriter[]
  /** Those of them that share a client with others. */
  readonly tabs: readonly SimTab[]
  /** Of each native client, in the order in which those come first among the writers. */
  readonly clientDisks: readonly ClientDisk[]
  /** All that there ever were: a client that opens a new one makes it. */
  readonly documents: readonly DocumentId[]
  /** Clients are let in on tokens, which end. */
  readonly checksTokens: boolean
  readonly hostile: SimHostile
  readonly oracle: Oracle
}
