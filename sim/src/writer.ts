/** What workload, faults and checkers know of a client, native or stock. */
import type { Millis } from "@causeway/crdt/base"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Replica } from "./replica/replica.ts"

export interface SimWriter {
  readonly host: HostId
  readonly name: string
  readonly running: boolean
  readonly replicas: readonly Replica[]
  start(): void
  /** One random edit that carries `token`. */
  write(random: SimRandom, token: string): void
  /** Says where its cursor is. */
  present(random: SimRandom): void
  /** The process dies; its storage may be gone with it. */
  crash(storage: "kept" | "lost"): void
  /** Drops the connection; it comes back by itself, to `node` if that is given. */
  disconnect(node?: HostId): void
  /** Closes a document and opens it again `afterMs` later, from what it holds. */
  reopen(random: SimRandom, afterMs: Millis): void
  /** Why it isn't at rest (something unsaved or unsent); undefined if it is. */
  unrest(): string | undefined
}
