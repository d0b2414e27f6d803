/**
 * The heads a log will have once every append under way is done. They let a store refuse a gap
 * in the very call that makes it (a broken invariant of the caller), while the disk is still
 * busy with earlier appends.
 */
import { assert } from "@causeway/crdt/base"
import type { OriginId } from "@causeway/crdt/base"
import type { AppendBatch } from "@causeway/crdt/ports"

export class PlannedHeads {
  readonly #own: OriginId
  readonly #seqs = new Map<OriginId, number>()

  constructor(own: OriginId, heads: Iterable<readonly [OriginId, number]>) {
    this.#own = own
    for (const [origin, seq] of heads) this.#seqs.set(origin, seq)
  }

  /** Plans `batch`, or throws and plans nothing of it. */
  add(batch: AppendBatch): void {
    const planned = this.#plan(batch)
    assert(planned !== undefined, () => `gap: ${describe(batch)}`)
    for (const [origin, seq] of planned) this.#seqs.set(origin, seq)
  }

  /** Plans `batch` if it leaves no gap. */
  addIfFits(batch: AppendBatch): void {
    for (const [origin, seq] of this.#plan(batch) ?? []) this.#seqs.set(origin, seq)
  }

  #plan({ own, adopted, raise = [] }: AppendBatch): Map<OriginId, number> | undefined {
    const planned = new Map<OriginId, number>()
    for (const [origin, { seq }] of raise) {
      assert(origin !== this.#own, "the own origin is appended to, never raised")
      if (seq > (planned.get(origin) ?? this.#seqs.get(origin) ?? 0)) planned.set(origin, seq)
    }
    if (own.length > 0) planned.set(this.#own, (this.#seqs.get(this.#own) ?? 0) + own.length)
    for (const run of adopted) {
      assert(run.origin !== this.#own, "the own origin is appended to, never adopted")
      const seq = planned.get(run.origin) ?? this.#seqs.get(run.origin) ?? 0
      if (run.firstSeq !== seq + 1) return undefined
      planned.set(run.origin, seq + run.records.length)
    }
    return planned
  }
}

function describe({ adopted }: AppendBatch): string {
  return adopted.map((run) => `${run.origin} from ${run.firstSeq}`).join(", ")
}

/** Every origin whose head the batch may move: own, raised, adopted, in the order of the batch. */
export function touchedOrigins(own: OriginId, batch: AppendBatch): OriginId[] {
  const touched = new Set<OriginId>()
  if (batch.own.length > 0) touched.add(own)
  for (const [origin] of batch.raise ?? []) touched.add(origin)
  for (const run of batch.adopted) touched.add(run.origin)
  return [...touched]
}
