/**
 * What the simulator drives, as the few methods it needs of it, and how each is made. Production
 * uses the real ones; a test of the simulator itself wraps one with a planted bug.
 */
import type { Millis } from "@causeway/crdt/base"
import { ClientCore } from "@causeway/crdt/client"
import type { ClientOptions } from "@causeway/crdt/client"
import { NodeCore } from "@causeway/crdt/node"
import type { MemoryLog } from "@causeway/crdt/log"
import type { NodeConfig } from "@causeway/crdt/node"
import type { Store } from "@causeway/crdt/ports"

export type NodeMachine = Pick<NodeCore, "step" | "nextDeadline" | "status">
export type ClientMachine = Pick<
  ClientCore,
  "step" | "nextDeadline" | "connection" | "pending" | "resumeOf" | "pendingUpdates" | "storing"
>

export type Parts = {
  readonly makeNode: (config: NodeConfig, nowMs: Millis) => NodeMachine
  readonly makeClient: (options: ClientOptions) => ClientMachine
  /** Between a node and its disk. */
  readonly wrapStore: (store: Store) => Store
  /** What a disk finds when it is opened (again), given what was durable. */
  readonly reopenLog: (log: MemoryLog) => MemoryLog
}

export const realParts: Parts = {
  makeNode: (config, nowMs) => new NodeCore(config, nowMs),
  makeClient: (options) => new ClientCore(options),
  wrapStore: (store) => store,
  reopenLog: (log) => log,
}
