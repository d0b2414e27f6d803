/** What workload, faults and checkers know of a client, native or stock. */
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { ClientCore, DocumentStatus } from "@causeway/crdt/client"
import type { PeerFreshness } from "@causeway/crdt/protocol"
import type { Build } from "./build.ts"
import type { ReplicaView } from "./checkers/client-view.ts"
import type { HostClock } from "./clock.ts"
import type { SimRandom } from "./random.ts"
import type { HostId } from "./reachability.ts"
import type { Replica } from "./replica/replica.ts"

/** What a client shows of one document, and what it says about that. */
export interface Session {
  readonly document: DocumentId
  readonly replica: Replica
  /** What the replica holds. */
  readonly view: ReplicaView
  /** True while it claims to show all that its node has. */
  readonly current: boolean
  /** Native clients only; undefined until the core said so. */
  readonly status: DocumentStatus | undefined
  /** Everybody's presence by client number, as JSON, with this client's own. */
  readonly cursors: ReadonlyMap<number, string>
}

/** Why a client isn't at rest: it has no node, or that node does not have all of it. */
export type Restless = { readonly cause: "clients" | "updates"; readonly why: string }

/** Undefined if it is at rest. */
export function unrestOf(core: ClientCore | undefined): Restless | undefined {
  if (core === undefined) return { cause: "clients", why: "not running" }
  const { connection, pending } = core
  if (connection.state !== "connected") return { cause: "clients", why: connection.state }
  if (pending.count === 0) return undefined
  return { cause: "updates", why: `${pending.count} updates pending` }
}

export interface SimWriter {
  readonly kind: "native" | "stock"
  readonly host: HostId
  readonly name: string
  readonly running: boolean
  /** What its core takes for the time; stock clients have no core. */
  readonly clock: HostClock | undefined
  /** What its app was built with, from its next connection on. Stock clients know no versions. */
  build: Build
  /** Those of the documents it has open. */
  readonly replicas: readonly Replica[]
  /** Undefined if it does not have the document open, or is not running. */
  sessionOf(document: DocumentId): Session | undefined
  /** Those that use the same storage: the tabs of a browser, or itself alone. */
  readonly shares: readonly SimWriter[]
  /** The node it is connected to. */
  readonly node: HostId | undefined
  /** The nodes it turns to by itself, whatever happens. */
  readonly homes: readonly HostId[]
  /** How often its process tried to connect so far. */
  readonly dials: number
  /** How far behind that node said it may be, per peer; undefined until it did. */
  readonly peers: readonly PeerFreshness[] | undefined
  start(): void
  /** One random edit that carries `token`, of a random open document unless one is given. */
  write(random: SimRandom, token: string, document?: DocumentId): void
  /**
   * Hands the core an update that no node takes, as an app does that does not look at sizes; what
   * was refused is tried once more or let go of later. Nothing for stock clients: they are closed.
   */
  writeTooMuch(random: SimRandom): void
  /** Says where its cursor is. */
  present(random: SimRandom): void
  /**
   * Opens a document, which may be new to the world, with a fresh replica; also when it starts
   * next, if it is not running. A stock client goes there as by a link: its page is gone, and a
   * new one is loaded.
   */
  open(document: DocumentId): void
  /** Lets go of a document and its replica. A stock client does so only by opening another. */
  close(document: DocumentId): void
  /**
   * Takes its copy of a document that is closed out of its storage, with what no node has only if
   * it `discards` that. Nothing for stock clients. Rule [C13].
   */
  forget(document: DocumentId, discards: boolean): void
  /** The process ends in order; `start` begins the next. */
  leave(): void
  /** The process dies; its storage may be gone with it. */
  crash(storage: "kept" | "lost"): void
  readonly isPaused: boolean
  /** Its process or tab stands still until it is resumed or ends; nobody types there meanwhile. */
  pause(untilMs: Millis): void
  resume(): void
  /** Drops the connection; it comes back by itself, to `node` if that is given. */
  disconnect(node?: HostId): void
  /** Closes a document and opens it again `afterMs` later, from what it holds. */
  reopen(random: SimRandom, afterMs: Millis): void
  /** Undefined if it is at rest. */
  unrest(): Restless | undefined
}
