/** What a swarm keeps of a run: plain data, small, and the same in every process. */
import type { SimOptions } from "../options.ts"
import type { RunReport } from "../run.ts"

/** Many runs may fail; each is told in full by the command that replays it. */
const lastEventsMax = 30

export type RunSummary = {
  readonly options: SimOptions
  readonly workload: string
  readonly failure:
    | {
        readonly invariant: string
        readonly message: string
        readonly atMs: number
        /** The last of them, oldest first, no more than `lastEventsMax`. */
        readonly lastEvents: readonly string[]
      }
    | undefined
  readonly virtualMs: number
  readonly realMs: number
  readonly convergedMs: number | undefined
  readonly events: number
  readonly writes: number
  readonly entries: number
  readonly forks: number
  /** How often each fault that was drawn fired. */
  readonly faults: Readonly<Record<string, number>>
  readonly hash: string
  /** Resident memory of the process that ran it, after it. */
  readonly rssBytes: number
}

export function summaryOf(report: RunReport, realMs: number, rssBytes: number): RunSummary {
  const { options, profile, failure, virtualMs, convergedMs, events, writes, entries } = report
  return {
    options,
    workload: profile.workload.name,
    failure: failure && {
      invariant: failure.invariant,
      message: failure.message,
      atMs: failure.atMs,
      lastEvents: failure.lastEvents.slice(-lastEventsMax),
    },
    virtualMs,
    realMs,
    convergedMs,
    events,
    writes,
    entries,
    forks: report.forks,
    faults: Object.fromEntries(report.faults),
    hash: report.hash,
    rssBytes,
  }
}
