/**
 * Numbers over time in equal buckets, as many as fit a screen and never more: when a run outgrows
 * them, every two buckets become one. All series of a grid share its buckets.
 */
import type { Millis } from "@causeway/crdt/base"

/** `sum`: what happened in a bucket. `level`: the highest that a quantity was in it. */
export type Series = {
  readonly kind: "sum" | "level"
  readonly values: number[]
  level: number
}

const BUCKET_MS_MIN = 50
/** Past it the buckets become twice as long. */
export const BUCKETS_MAX = 600

export class Grid {
  bucketMs: Millis = BUCKET_MS_MIN
  readonly #series: Series[] = []
  #last = 0

  series(kind: Series["kind"]): Series {
    const values = Array.from({ length: this.#last + 1 }, () => 0)
    const series: Series = { kind, values, level: 0 }
    this.#series.push(series)
    return series
  }

  /**
   * Time went on to `nowMs`; call it before anything else happens there. True if that is another
   * bucket.
   */
  advance(nowMs: Millis): boolean {
    while (nowMs >= this.bucketMs * BUCKETS_MAX) this.#double()
    const index = Math.floor(nowMs / this.bucketMs)
    if (index === this.#last) return false
    for (; this.#last < index; this.#last++) {
      for (const { kind, values, level } of this.#series) {
        values.push(kind === "level" ? level : 0)
      }
    }
    return true
  }

  add(series: Series, amount: number): void {
    series.values[this.#last] = (series.values[this.#last] ?? 0) + amount
  }

  set(series: Series, level: number): void {
    series.level = level
    series.values[this.#last] = Math.max(series.values[this.#last] ?? 0, level)
  }

  #double(): void {
    this.bucketMs *= 2
    this.#last = Math.floor(this.#last / 2)
    for (const series of this.#series) {
      const pairs = joined(series.values, 2, series.kind)
      series.values.splice(0, series.values.length, ...pairs)
    }
  }
}

/** Every `count` buckets as one. */
export function joined(values: readonly number[], count: number, kind: Series["kind"]): number[] {
  return Array.from({ length: Math.ceil(values.length / count) }, (_, index) => {
    const bucket = values.slice(index * count, (index + 1) * count)
    return kind === "sum" ? bucket.reduce((sum, value) => sum + value, 0) : Math.max(...bucket)
  })
}
