/**
 * Documents that are deleted are folded into nothing, one at a time and in the background, so that
 * compaction gives their space back: all that is known at the start, and what comes of them later.
 * Nothing is lost by it if it stops anywhere: nobody is shown any of it. Rule [R9].
 */
import { bytesEqual, limits, partsOfDocumentId } from "../base/index.ts"
import type { DocumentId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import type { Core } from "./core.ts"
import { reachOf } from "./document-state.ts"
import type { DocumentRead } from "./document-state.ts"
import type { Turn } from "./turn.ts"

/** What is left of a deleted document. */
type Remains = {
  readonly document: DocumentId
  /** How far it reaches. */
  readonly folded: VersionVector
  readonly entries: number
  readonly bytes: number
  /** What its snapshot holds so far. */
  readonly before: Uint8Array | undefined
}

export class Emptying {
  readonly #core: Core
  readonly #waiting = new Set<DocumentId>()
  #isBusy = false
  #isStopped = false

  constructor(core: Core) {
    this.#core = core
  }

  /** Past the bound they are looked at by the next start. */
  add(documents: Iterable<DocumentId>): void {
    for (const document of documents) {
      if (this.#waiting.size < limits.deletionsMax) this.#waiting.add(document)
    }
  }

  /** These became durable; some may be of zombies. O(updates) once anything is deleted. */
  onDurable(turn: Turn, updates: Iterable<{ readonly document: DocumentId }>): void {
    const { lives } = this.#core
    if (lives.size === 0) return
    for (const { document } of updates) if (lives.isDeleted(document)) this.add([document])
    this.pump(turn)
  }

  stop(): void {
    this.#isStopped = true
  }

  pump(turn: Turn): void {
    if (this.#isBusy || this.#isStopped || this.#core.commits.storeState !== "ok") return
    const [document] = this.#waiting
    if (document === undefined) return
    this.#waiting.delete(document)
    this.#isBusy = true
    const query = { type: "document", document, since: new VersionVector() } as const
    this.#core.reads.queue(turn, this, query, (later, read) => {
      if (read.type === "failed" && read.code === "document-too-large") {
        // What it is nobody needs to know; all of it that is durable here goes.
        const folded = this.#core.holdings.vector()
        this.#empty(later, { document, folded, entries: 0, bytes: 0, before: undefined })
      } else if (read.type === "document" && reachOf(read).size > 0) {
        this.#empty(later, remainsOf(document, read))
      } else this.#next(later)
    })
  }

  #next(turn: Turn): void {
    this.#isBusy = false
    this.pump(turn)
  }

  #empty(turn: Turn, remains: Remains): void {
    const { engine } = partsOfDocumentId(remains.document)
    this.#core.jobs.start(turn, { type: "compact", engine, parts: [] }, (later, result) => {
      if (result.type === "compact") this.#write(later, remains, result.compacted)
      else this.#next(later)
    })
  }

  #write(turn: Turn, remains: Remains, state: Uint8Array): void {
    const { document, folded: reach, entries, bytes, before } = remains
    const isEmpty = before !== undefined && bytesEqual(before, state)
    if ((isEmpty && entries === 0) || this.#isStopped) return this.#next(turn)
    const snapshots = [{ document, state, folded: reach }]
    return this.#core.commits.maintain({
      work: { snapshots },
      done: (later, written) => {
        const snapshotBytes = state.length
        const folded = { type: "folded", document, entries, bytes } as const
        if (written.ok) later.emit({ ...folded, snapshotBytes })
        // Something else was folded meanwhile, or the store fails.
        else this.add([document])
        this.#isBusy = false
        if (written.ok) this.pump(later)
      },
    })
  }
}

function remainsOf(document: DocumentId, read: DocumentRead): Remains {
  const { snapshot, entries } = read
  let bytes = 0
  for (const { record } of entries) bytes += record.length
  const before = snapshot?.state
  return { document, folded: reachOf(read), entries: entries.length, bytes, before }
}
