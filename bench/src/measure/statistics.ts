/**
 * The few statistics the tables show. A figure is the median over the rounds with the smallest and
 * the largest beside it; with three rounds that is all three of them, so nothing is hidden.
 */

export type Spread = {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Nearest-rank percentile of values in any order; @throws RangeError without values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  const value = sorted[rank - 1]
  if (value === undefined) throw new RangeError("percentile of no values")
  return value
}

/** Median (mean of the middle two), smallest and largest; undefined without values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  const min = sorted[0]
  const max = sorted.at(-1)
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    return undefined
  }
  return { median: (low + high) / 2, min, max, count: sorted.length }
}
