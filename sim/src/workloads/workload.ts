/**
 * A workload is a small plain object: which documents a run has and how clients edit them. When
 * and by whom is drawn by the run. To add one, write an object and list it in `index.ts`, or hand
 * it to a run in a catalogue of your own.
 */
import type * as Automerge from "@automerge/automerge"
import type * as Y from "yjs"
import type { DocumentId } from "@causeway/crdt/base"
import type { SimRandom } from "../random.ts"

export type Documents = {
  readonly documents: readonly DocumentId[]
  /** How many of them each client opens. */
  readonly documentsPerClient: number
}

/** What Automerge documents of the simulator hold; every field appears with its first edit. */
export type AutomergeContent = {
  text?: string
  map?: Record<string, string>
  list?: string[]
  count?: Automerge.Counter
}

export type Workload = {
  readonly name: string
  /** One sentence: which users it stands for. */
  readonly explain: string
  readonly documents: (random: SimRandom) => Documents
  /** One edit of a Yjs document, inside a transaction. It should leave `token` somewhere. */
  readonly editYjs: (doc: Y.Doc, random: SimRandom, token: string) => void
  /** One edit of an Automerge document, inside a change. */
  readonly editAutomerge: (content: AutomergeContent, random: SimRandom, token: string) => void
}
