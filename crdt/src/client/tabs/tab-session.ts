/** What a leader knows of one of its tabs. */
import type { MemberMessage, TabId, TabUpdate } from "./tab-message.ts"

export type Kept = { readonly stored: number; readonly safe: number }

export class TabSession {
  readonly tab: TabId
  /** Its last update that was handed in, or found in storage. */
  handed = 0
  /** Numbers of those handed in that are not in storage, and of those that are and are not safe. */
  readonly unstored: number[] = []
  readonly unsafe: number[] = []
  /** Updates that storage is looked through for; what came since waits. */
  checking: readonly TabUpdate[] | undefined
  waiting: MemberMessage[] = []
  isGone = false
  #told: Kept = { stored: 0, safe: 0 }

  constructor(tab: TabId) {
    this.tab = tab
  }

  /** Up to where everything is in storage, and safe; undefined if that is no news for the tab. */
  keptNews(): Kept | undefined {
    const stored = (this.unstored[0] ?? this.handed + 1) - 1
    const safe = Math.min(stored, (this.unsafe[0] ?? this.handed + 1) - 1)
    if (stored === this.#told.stored && safe === this.#told.safe) return undefined
    this.#told = { stored, safe }
    return this.#told
  }
}
