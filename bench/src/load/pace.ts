/**
 * Open-loop pacing: sends happen when the schedule says so, whether or not the server keeps up, and
 * a late timer is made up for by sending everything that is due. Latency is counted from the
 * scheduled time, so neither a slow server nor a slow load generator can hide delay (no
 * "coordinated omission").
 */
import { createHistogram } from "node:perf_hooks"
import type { RecordableHistogram } from "node:perf_hooks"

/** Microseconds in a histogram's unit; latencies beyond ten minutes do not occur. */
const microsMax = 600_000_000

/** A histogram of microseconds with three significant figures. */
export function createMicrosHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: microsMax, figures: 3 })
}

/** Records a duration given in milliseconds; anything below a microsecond counts as one. */
export function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.min(microsMax, Math.max(1, Math.round(ms * 1000))))
}

/** The `percentile` of `histogram`, in milliseconds. */
export function percentileMs(histogram: RecordableHistogram, percentile: number): number {
  return histogram.count === 0 ? 0 : histogram.percentile(percentile) / 1000
}

export type Schedule = {
  readonly startMs: number
  readonly count: number
  readonly perSecond: number
}

/** When send number `index` is due, on the clock of `performance.now()`. */
export function scheduledMs(schedule: Schedule, index: number): number {
  return schedule.startMs + (index * 1000) / schedule.perSecond
}

/** Sends on schedule until all is sent or `isOver`; resolves with the lateness of all sends. */
export function pace(
  schedule: Schedule,
  send: (index: number) => void,
  isOver: () => boolean = () => false,
): Promise<RecordableHistogram> {
  const lateness = createMicrosHistogram()
  let index = 0
  return new Promise((resolve, reject) => {
    const tick = (): void => {
      try {
        let now = performance.now()
        while (index < schedule.count && scheduledMs(schedule, index) <= now) {
          recordMs(lateness, now - scheduledMs(schedule, index))
          send(index)
          index += 1
          now = performance.now()
        }
        if (index === schedule.count || isOver()) resolve(lateness)
        else setTimeout(tick, Math.max(1, Math.floor(scheduledMs(schedule, index) - now)))
      } catch (error) {
        reject(error)
      }
    }
    tick()
  })
}
