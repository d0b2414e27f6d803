/**
 * What this node durably holds: the head of every origin. Raised only by commits, so whatever
 * is advertised from here is on the disk (rule [L4]).
 */
import type { OriginId } from "../base/index.ts"
import { VersionVector } from "../clock/index.ts"
import { emptyHead } from "../log/index.ts"
import type { Head } from "../log/index.ts"

export class Holdings {
  readonly #heads: Map<OriginId, Head>
  #raised = new Set<OriginId>()

  constructor(heads: readonly (readonly [OriginId, Head])[]) {
    this.#heads = new Map(heads)
  }

  head(origin: OriginId): Head {
    return this.#heads.get(origin) ?? emptyHead
  }

  raise(heads: readonly (readonly [OriginId, Head])[]): void {
    for (const [origin, head] of heads) {
      if (head.seq < this.head(origin).seq) continue
      this.#heads.set(origin, head)
      this.#raised.add(origin)
    }
  }

  /** The origins that were raised since this was last asked. */
  takeRaised(): ReadonlySet<OriginId> {
    const raised = this.#raised
    this.#raised = new Set()
    return raised
  }

  heads(): ReadonlyMap<OriginId, Head> {
    return this.#heads
  }

  vector(): VersionVector {
    const vector = new VersionVector()
    for (const [origin, head] of this.#heads) vector.raise(origin, head.seq)
    return vector
  }
}
