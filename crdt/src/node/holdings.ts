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

  constructor(heads: readonly (readonly [OriginId, Head])[]) {
    this.#heads = new Map(heads)
  }

  head(origin: OriginId): Head {
    return this.#heads.get(origin) ?? emptyHead
  }

  raise(heads: readonly (readonly [OriginId, Head])[]): void {
    for (const [origin, head] of heads) {
      if (head.seq >= this.head(origin).seq) this.#heads.set(origin, head)
    }
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
