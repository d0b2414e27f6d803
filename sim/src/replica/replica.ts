/**
 * A client's real document (Y.Doc or Automerge) as the simulated clients need it: edited at
 * random, fed with updates, compared. Every identity it writes under comes from the seed.
 */
import type { DocumentId } from "@causeway/crdt/base"
import { partsOfDocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { Workload } from "../workloads/workload.ts"
import { AutomergeReplica } from "./automerge-replica.ts"
import { YjsReplica } from "./yjs-replica.ts"

/** So long after it was delivered, if not before, an update is looked at. */
export const LOOK_MS = 250

export interface Replica {
  readonly document: DocumentId
  /** The presence id: the Y.Doc's client id, or a random number. */
  readonly presenceClient: number
  /** One random edit that carries `token`; gives the updates it led to. */
  edit(random: SimRandom, token: string): Uint8Array[]
  /**
   * Takes updates that may wait until somebody looks, edits or asks. Gives what `look` gives.
   * @throws whatever the CRDT throws; bytes of other replicas only.
   */
  apply(updates: readonly Uint8Array[]): Uint8Array[]
  /**
   * Takes in what waits, and gives updates that the CRDT made by itself at that: Yjs clears away
   * formats that say nothing. They are this replica's own, and go the way of edits.
   */
  look(): Uint8Array[]
  /** The whole document as one update. */
  state(): Uint8Array
  /** What the holder of `summary` lacks of this document. */
  difference(summary: Uint8Array): Uint8Array
  /** The summary of what is held. */
  summary(): Uint8Array
  close(): void
}

/** An empty replica that writes under a fresh identity drawn from `random`. */
export function createReplica(
  document: DocumentId,
  random: SimRandom,
  workload: Workload,
): Replica {
  const { engine } = partsOfDocumentId(document)
  return engine === "yjs"
    ? new YjsReplica(document, random, workload.editYjs)
    : new AutomergeReplica(document, random, workload.editAutomerge)
}
