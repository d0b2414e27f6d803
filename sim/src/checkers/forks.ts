/**
 * Forks: an origin and seq that stands for two contents. Only a folder that was put back whole,
 * boot record and all, may lead to one: its node can't know that it ever gave out more. Then nodes
 * that meet say so, and repair it (`fork-repaired`): in the end all hold one branch, and what was
 * written on the others stands elsewhere. Until then resume points and vectors, which name entries
 * by origin and seq, can't tell apart two that share a name. Anywhere else a fork is a violation
 * of `no-fork`.
 */
import { bytesEqual } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import { demand } from "../violation.ts"
import type { LedgerEntry } from "./ledger.ts"

export class Forks {
  /** Origins whose node was put back to where it had given out less. */
  readonly #rolledBack = new Set<OriginId>()
  /** Seqs with two contents or more. */
  readonly #seqs = new Map<OriginId, Set<number>>()
  /** Contents other than the first one that was seen. */
  readonly #others = new Map<string, LedgerEntry[]>()
  readonly #reported = new Set<OriginId>()

  /** How many origins forked. */
  get count(): number {
    return this.#seqs.size
  }

  /** How many branches there are that another will take the place of, or may be soon. */
  get branches(): number {
    // What was put back may write on where others hold something else.
    let branches = this.#rolledBack.size
    for (const [origin, seqs] of this.#seqs) {
      const others = [...seqs].map((seq) => this.#others.get(nameOf(origin, seq))?.length ?? 0)
      branches += Math.max(0, ...others)
    }
    return branches
  }

  /** `origin`'s own node is back at an earlier state, and does not know it. */
  allow(origin: OriginId): void {
    this.#rolledBack.add(origin)
  }

  isAllowed(origin: OriginId): boolean {
    return this.#rolledBack.has(origin)
  }

  /** A node said that peers differ about this origin. */
  report(origin: OriginId): void {
    this.#reported.add(origin)
  }

  isReported(origin: OriginId): boolean {
    return this.#reported.has(origin)
  }

  /** The first seq with two contents; undefined if there is none. */
  fromSeq(origin: OriginId): number | undefined {
    const seqs = this.#seqs.get(origin)
    return seqs === undefined ? undefined : Math.min(...seqs)
  }

  find(origin: OriginId, seq: number, record: Uint8Array): LedgerEntry | undefined {
    const others = this.#others.get(nameOf(origin, seq)) ?? []
    return others.find((entry) => bytesEqual(entry.record, record))
  }

  add(origin: OriginId, seq: number, entry: LedgerEntry): void {
    demand(this.#rolledBack.has(origin), "no-fork", () => {
      return `${origin} ${seq} differs from what another disk holds or held`
    })
    const name = nameOf(origin, seq)
    const others = this.#others.get(name) ?? []
    this.#others.set(name, others)
    others.push(entry)
    const seqs = this.#seqs.get(origin) ?? new Set()
    this.#seqs.set(origin, seqs.add(seq))
  }

  /** Whether `seq` may stand for two contents. */
  covers(origin: OriginId, seq: number): boolean {
    return seq >= (this.fromSeq(origin) ?? Infinity)
  }

  origins(): Iterable<OriginId> {
    return this.#seqs.keys()
  }

  seqs(origin: OriginId): Iterable<number> {
    return this.#seqs.get(origin) ?? []
  }

  /** What else was written under `origin` at seqs that stand for more than one thing. */
  others(origin: OriginId): LedgerEntry[] {
    const seqs = [...this.seqs(origin)]
    return seqs.flatMap((seq) => this.#others.get(nameOf(origin, seq)) ?? [])
  }
}

function nameOf(origin: OriginId, seq: number): string {
  return `${origin} ${seq}`
}
