/** What apps in tabs ask, and who leads answers: whether what was typed is saved. Rule [H6]. */
import type { DocumentId } from "@causeway/crdt/base"
import type { ClientCore } from "@causeway/crdt/client"
import type { RejectedUpdate } from "@causeway/crdt/ports"

/** Whether what the tab typed in the document is there. */
export type Question = { readonly document: DocumentId; readonly tier: "local" | "node" }

type Asked = Question & { readonly tab: string; readonly ask: number; readonly seq: number }

/** Of one leader, as the SDK's. */
export class Saves {
  readonly #answer: (tab: string, ask: number, isSaved: boolean) => void
  #asked: Asked[] = []

  constructor(answer: (tab: string, ask: number, isSaved: boolean) => void) {
    this.#answer = answer
  }

  add(tab: string, ask: number, { document, tier }: Question, core: ClientCore): void {
    const seq = core.pendingOf(document)?.last ?? 0
    const isRefused = tier === "node" && core.rejectionOf(document) !== undefined
    if (isRefused) this.#answer(tab, ask, false)
    else this.#asked.push({ document, tier, tab, ask, seq })
  }

  check(core: ClientCore): void {
    this.#settle(true, ({ document, tier, seq }) => {
      const isAcked = (core.pendingOf(document)?.first ?? Infinity) > seq
      return isAcked || (tier === "local" && core.storedSeq >= seq)
    })
  }

  onRejected(update: RejectedUpdate): void {
    this.#settle(false, ({ document, tier, seq }) => {
      return document === update.document && tier === "node" && update.seq <= seq
    })
  }

  #settle(isSaved: boolean, isSettled: (asked: Asked) => boolean): void {
    const settled = this.#asked.filter(isSettled)
    if (settled.length === 0) return
    this.#asked = this.#asked.filter((asked) => !settled.includes(asked))
    for (const { tab, ask } of settled) this.#answer(tab, ask, isSaved)
  }
}

type Asking = Question & { readonly writes: number }

/** Of one tab's app. */
export class Asks {
  readonly #open = new Map<number, Asking>()
  #last = 0

  /** Gives its number; `writes` were made before. */
  add(question: Question, writes: number): number {
    this.#last += 1
    this.#open.set(this.#last, { ...question, writes })
    return this.#last
  }

  take(ask: number): Asking | undefined {
    const asking = this.#open.get(ask)
    this.#open.delete(ask)
    return asking
  }

  clear(): void {
    this.#open.clear()
  }
}
