/**
 * A workload is a small plain object: which documents a run has and how clients edit them. When
 * and by whom is drawn by the run, as far as the workload does not say so itself. To add one,
 * write an object and list it in `index.ts`, or hand it to a run in a catalogue of your own.
 */
import type * as Automerge from "@automerge/automerge"
import type * as Y from "yjs"
import type { DocumentId, Millis } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"
import type { World } from "../world.ts"
import type { SimWriter } from "../writer.ts"

type Documents = {
  /** Those there are at the start; more come into being when a client opens them. */
  readonly documents: readonly DocumentId[]
  /** How many of them each native client opens; a stock one opens one. */
  readonly documentsPerClient: number
}

type Card = { title: string; done: boolean; tags: string[] }

/** What Automerge documents of the simulator hold; every field appears with its first edit. */
export type AutomergeContent = {
  text?: string
  map?: Record<string, string>
  list?: string[]
  count?: Automerge.Counter
  cards?: Record<string, Card>
  counts?: Record<string, Automerge.Counter>
}

/** What the user before one replica remembers from edit to edit, such as where the cursor is. */
export type Memory = Map<string, number>

/** How much of what happens, where a workload does not leave that to the seed. */
export type LoadShape = {
  /** How many of the writes that a run is asked for there are. 1 unless said. */
  readonly writesFactor: number
  /** How many of the clients ever write. 1 unless said. */
  readonly writersShare: number
  /** How many writes come in one go, on average. */
  readonly burst: number
  /** How many of all writes are big, and how big at most: tokens of so many bytes. */
  readonly bigShare: number
  readonly bigBytesMax: number
  /** Moves of cursors, over all clients. */
  readonly presencePerSecond: number
}

/** Where a workload does what is more than an edit. */
type Stage = {
  readonly world: World
  /** Those who only look; the others write. */
  readonly readers: readonly SimWriter[]
  /** Calls `act` again and again, after `meanMs` on average, for as long as there are writes. */
  readonly every: (meanMs: Millis, act: () => void) => void
  /** One edit of a document that this client has open, beside those that the run makes. */
  readonly write: (writer: SimWriter, document: DocumentId) => void
}

export type Workload = {
  readonly name: string
  /** One sentence: which users it stands for. */
  readonly explain: string
  /** How often the seed draws it, compared with others. 1 unless said. */
  readonly weight?: number
  readonly documents: (random: SimRandom) => Documents
  /** One edit of a Yjs document, inside a transaction. It should leave `token` somewhere. */
  readonly editYjs?: (doc: Y.Doc, random: SimRandom, token: string, memory: Memory) => void
  /** One edit of an Automerge document, inside a change. */
  readonly editAutomerge?: (
    content: AutomergeContent,
    random: SimRandom,
    token: string,
    memory: Memory,
  ) => void
  readonly load?: Partial<LoadShape>
  /** Plans what isn't edits: documents opened and closed, clients that leave and come back. */
  readonly run?: (stage: Stage, random: SimRandom) => void
}
