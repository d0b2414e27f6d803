/** Words for a run: what was drawn, how it went, and how to see it again. */
import type { Wait } from "./liveness.ts"
import { showProfile } from "./options.ts"
import type { Profile, SimOptions } from "./options.ts"
import type { RunReport } from "./run.ts"

/** What a run was and cost in the real world. */
export type Timed = { readonly report: RunReport; readonly realMs: number }

/** Where a run came from, apart from its options. */
export type Source = {
  /** The file of options it was read from. */
  readonly replay?: string | undefined
  /** The module of its catalogue. */
  readonly with?: string | undefined
}

/** The one line that replays a run. */
export function replayCommand(options: SimOptions, source: Source = {}): string {
  const own = source.with === undefined ? "" : ` --with ${source.with}`
  if (source.replay !== undefined) return `npm run sim -- run --replay ${source.replay}${own}`
  const { seed, nodes, clients, stockClients, seconds, writesPerSecond } = options
  const { faults, workload, browsers = 0, tokens = false } = options
  const chosen = faults === undefined ? "" : ` --faults ${faults.join(",") || "none"}`
  return (
    `npm run sim -- --seed ${seed} --nodes ${nodes} --clients ${clients}` +
    ` --stock-clients ${stockClients} --seconds ${seconds}` +
    ` --writes-per-second ${writesPerSecond}${chosen}` +
    (browsers === 0 ? "" : ` --browsers ${browsers}`) +
    (tokens ? " --tokens" : "") +
    (workload === undefined ? "" : ` --workload ${workload}`) +
    own
  )
}

export function showStart(options: SimOptions, profile: Profile): string {
  const { seed, nodes, clients, stockClients, seconds, writesPerSecond } = options
  const { browsers = 0, tokens = false } = options
  const tabs = browsers === 0 ? "" : ` (${browsers} with tabs)`
  const head =
    `seed ${seed}: ${nodes} nodes, ${clients} native${tabs} and ${stockClients} stock clients,` +
    ` ${writesPerSecond} writes/s, ${seconds} virtual seconds${tokens ? ", with tokens" : ""}`
  return [head, ...showProfile(profile)].join("\n")
}

export function showEnd({ report, realMs }: Timed, source: Source = {}): string {
  const { failure, virtualMs, events, writes, entries, faults, hash, convergedMs } = report
  const forks = report.forks === 0 ? "" : `, ${report.forks} origins forked`
  const fired = [...faults].map(([name, count]) => `${name} ${count}`).join(", ")
  const speed = `${Math.round(virtualMs / Math.max(1, realMs))} × real time`
  const rate = `${Math.round(events / Math.max(0.001, realMs / 1000))} events/s`
  const lines = [
    `fired    ${fired || "nothing"}`,
    `work     ${writes} writes, ${entries} entries${forks}, ${events} events`,
    `time     ${(virtualMs / 1000).toFixed(1)} s virtual in ${(realMs / 1000).toFixed(2)} s: ` +
      `${speed}, ${rate}`,
    `trace    ${hash}`,
  ]
  if (failure === undefined) {
    const seconds = ((convergedMs ?? 0) / 1000).toFixed(1)
    const verdict = `verdict  ok, converged ${seconds} s after the last fault`
    return [...lines, `budget   ${showBudgets(report)}`, verdict].join("\n")
  }
  return [
    ...lines,
    "",
    ...showLastEvents(failure.lastEvents),
    "",
    `verdict  VIOLATION of ${failure.invariant} at ${failure.atMs.toFixed(3)} ms,` +
      ` seed ${report.options.seed}`,
    `         ${failure.message}`,
    ...(failure.invariant === "assertion" ? [failure.stack ?? ""] : []),
    `replay   ${replayCommand(report.options, source)}`,
  ].join("\n")
}

/** What led to a violation, oldest first. */
export function showLastEvents(lines: readonly string[]): string[] {
  return ["last events:", ...lines.map((line) => `  ${line}`)]
}

/** Of what each phase of liveness waited for, what came closest to its budget. */
function showBudgets({ convergences }: RunReport): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  const parts = convergences.map(({ phase, nodes, tookMs, waits }) => {
    const who = `${phase === "core" ? "a core of" : "all"} ${nodes} in ${seconds(tookMs)} s`
    const share = (wait: Wait): number => wait.tookMs / wait.budgetMs
    const [closest] = [...waits].sort((one, other) => share(other) - share(one))
    if (closest === undefined) return who
    return `${who} (${closest.cause} ${seconds(closest.tookMs)} of ${seconds(closest.budgetMs)} s)`
  })
  return parts.join(", ")
}

export function toJson({ report, realMs }: Timed, source: Source = {}): string {
  const { profile, faults, ...rest } = report
  const drawn = profile.faults.map(({ fault, everyMs }) => ({ name: fault.name, everyMs }))
  return JSON.stringify({
    ...rest,
    profile: { ...profile, workload: profile.workload.name, faults: drawn },
    faults: Object.fromEntries(faults),
    realMs,
    replay: replayCommand(report.options, source),
  })
}
