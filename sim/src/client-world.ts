/** What a simulated client is given: its place in the world, and the world. */
import type { DocumentId } from "@causeway/crdt/base"
import type { Engines } from "@causeway/crdt/node"
import type { ReplicaView } from "./checkers/client-view.ts"
import type { Network } from "./network.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Scheduler } from "./scheduler.ts"
import type { TokenOffice } from "./token-office.ts"
import type { Watch } from "./watch.ts"
import type { Workload } from "./workloads/index.ts"

/** Documents from which on clients that come back watch them: so that runs with few do too. */
export const WATCH_MIN = 1
/** Records after which copies are rewritten, at most. */
const COMPACT_RECORDS_MAX = 40

/** What a client core is given besides. */
export function optionsOf(random: SimRandom, { urls }: ClientSetup, { tokens }: ClientWorld) {
  const compactRecordsMax = random.split("copies").int(2, COMPACT_RECORDS_MAX)
  const authenticated = tokens !== undefined
  return { urls, random, compactRecordsMax, watchMin: WATCH_MIN, authenticated }
}

export type ClientSetup = {
  readonly host: HostId
  readonly name: string
  readonly urls: readonly string[]
  /** Open from the start. */
  readonly documents: readonly DocumentId[]
  readonly engines: Engines
}

export type ClientWorld = {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly watch: Watch
  readonly workload: Workload
  readonly makeView: (document: DocumentId) => ReplicaView
  readonly hostOf: (address: string) => HostId | undefined
  /** Undefined: nodes let everybody in. */
  readonly tokens: TokenOffice | undefined
}
