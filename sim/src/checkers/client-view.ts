/**
 * What one client replica holds, by operation: `resume-honesty` ([C5]) demands that every entry
 * under its resume point is really in it, and `no-phantom` that nothing else is.
 */
import type { DocumentId, OriginId } from "@causeway/crdt/base"
import type { VersionVector } from "@causeway/crdt/clock"
import { demand } from "../violation.ts"
import type { Attempts } from "./attempts.ts"
import { Coverage } from "./coverage.ts"
import type { Ops } from "./coverage.ts"
import type { Ledger } from "./ledger.ts"

export class ReplicaView {
  readonly #document: DocumentId
  readonly #ledger: Ledger
  readonly #attempts: Attempts
  readonly #held = new Coverage()
  readonly #checked = new Map<OriginId, number>()

  constructor(document: DocumentId, ledger: Ledger, attempts: Attempts) {
    this.#document = document
    this.#ledger = ledger
    this.#attempts = attempts
  }

  /** The replica wrote or was fed `update`. */
  add(update: Uint8Array): void {
    const ops = this.#attempts.opsOf(this.#document, update)
    const unknown = this.#attempts.coverage(this.#document).unknown(ops)
    demand(unknown === undefined, "no-phantom", () => {
      return `${this.#document}: a client was fed ${unknown}, which nobody wrote`
    })
    this.#held.add(ops)
  }

  /** The first part of `ops` that it lacks, in words. */
  missing(ops: Ops): string | undefined {
    return this.#held.missing(ops)
  }

  /** The replica is said to hold every entry of its document up to `resume`. */
  onResume(resume: VersionVector): void {
    for (const [origin, seq] of resume.entries()) {
      for (let next = (this.#checked.get(origin) ?? 0) + 1; next <= seq; next++) {
        this.#checkEntry(origin, next)
      }
      this.#checked.set(origin, Math.max(seq, this.#checked.get(origin) ?? 0))
    }
  }

  #checkEntry(origin: OriginId, seq: number): void {
    const entry = this.#ledger.entry(origin, seq)
    demand(entry !== undefined, "resume-honesty", () => `${origin} ${seq} was never durable`)
    // One name for two entries: which of them the client was given, the name does not say.
    if (entry.document !== this.#document || this.#ledger.forks.covers(origin, seq)) return
    const missing = this.#held.missing(entry.ops)
    demand(missing === undefined, "resume-honesty", () => {
      return `${this.#document}: resume point covers ${origin} ${seq}, the replica lacks ${missing}`
    })
  }
}
