/** What a document of the tab that leads stands on: what this tab shows, or a hidden replica. */
import type { DocumentId } from "@causeway/crdt/base"
import type { Footing } from "@causeway/crdt/client/tabs"
import type { ClientWorld } from "../client-world.ts"
import { OpenDocument } from "../open-document.ts"
import type { SimRandom } from "../random.ts"
import { createReplica } from "../replica/replica.ts"

export class SimFooting implements Footing {
  readonly open: OpenDocument
  /** Undefined if nobody sees it: what its CRDT makes by itself is nobody's then. */
  readonly #shows: ((updates: readonly Uint8Array[]) => void) | undefined

  constructor(open: OpenDocument, shows?: (updates: readonly Uint8Array[]) => void) {
    this.open = open
    this.#shows = shows
  }

  get isShown(): boolean {
    return this.#shows !== undefined
  }

  apply(updates: readonly Uint8Array[]): void {
    if (this.#shows !== undefined) return this.#shows(updates)
    for (const update of updates) this.open.view.add(update)
    this.open.replica.apply(updates)
  }

  /** Without anything that its CRDT made by itself and that is not told yet. */
  state(): Uint8Array {
    this.#shows?.([])
    return this.open.replica.state()
  }
}

export function openDocument(
  document: DocumentId,
  random: SimRandom,
  { workload, makeView }: ClientWorld,
): OpenDocument {
  return new OpenDocument(createReplica(document, random, workload), makeView(document))
}
