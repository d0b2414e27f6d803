/** What an Automerge document holds, and all that is done to it: there once it is loaded. */
import * as library from "@automerge/automerge"
import { Conflicts, writeResolution } from "./automerge-conflicts.ts"
import type { Conflict, DocumentPath } from "./automerge-conflicts.ts"
import { automergeLacking, headsSummary } from "./automerge-lacking.ts"
import { withUpdate } from "./automerge-update.ts"
import type { Content } from "./replica.ts"

export { library }

export class AutomergeReplica<T> {
  #doc = library.init<T>()
  readonly #conflicts = new Conflicts(library)
  readonly #onChange: (doc: library.Doc<T>) => void

  /** `onChange` is called with the document at each change, local or remote. */
  constructor(onChange: (doc: library.Doc<T>) => void) {
    this.#onChange = onChange
  }

  get doc(): library.Doc<T> {
    return this.#doc
  }

  get actor(): string {
    return library.getActorId(this.#doc)
  }

  get conflicts(): readonly Conflict[] {
    return this.#conflicts.of(this.#doc)
  }

  /** Gives what was changed to `send`, if anything was. */
  change(make: library.ChangeFn<T>, send: (bytes: Uint8Array) => void): void {
    const before = this.#doc
    this.#doc = library.change(before, make)
    if (this.#doc === before) return
    const bytes = library.getLastLocalChange(this.#doc)
    if (bytes !== undefined) send(bytes)
    this.#onChange(this.#doc)
  }

  /** The change that writes `value` where the conflict is. */
  resolution(path: DocumentPath, value: unknown): library.ChangeFn<T> {
    const doc = this.#doc
    return (draft) => writeResolution(library, doc, draft, path, value)
  }

  content(): Content {
    return {
      resume: () => ({ type: "summary", summary: headsSummary(library.getHeads(this.#doc)) }),
      apply: (updates) => {
        const before = this.#doc
        for (const update of updates) {
          this.#doc = withUpdate(library, this.#doc, this.#conflicts, update)
        }
        if (this.#doc !== before) this.#onChange(this.#doc)
      },
      state: () => library.save(this.#doc),
      lacking: (summary, outgoing) => automergeLacking(library, this.#doc, summary, outgoing),
    }
  }
}
