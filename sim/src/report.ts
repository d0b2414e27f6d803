/** Words for a run: what was drawn, how it went, and how to see it again. */
import { showProfile } from "./options.ts"
import type { Profile, SimOptions } from "./options.ts"
import type { RunReport } from "./run.ts"

/** What a run was and cost in the real world. */
export type Timed = { readonly report: RunReport; readonly realMs: number }

/** The one line that replays a run; one whose faults are listed needs them in a file. */
export function replayCommand(options: SimOptions): string {
  if (options.schedule !== undefined) return "npm run sim -- run --replay FILE, with these options"
  const { seed, nodes, clients, stockClients, seconds, writesPerSecond } = options
  const { faults, workload } = options
  const chosen = faults === undefined ? "" : ` --faults ${faults.join(",") || "none"}`
  return (
    `npm run sim -- --seed ${seed} --nodes ${nodes} --clients ${clients}` +
    ` --stock-clients ${stockClients} --seconds ${seconds}` +
    ` --writes-per-second ${writesPerSecond}${chosen}` +
    (workload === undefined ? "" : ` --workload ${workload}`)
  )
}

export function showStart(options: SimOptions, profile: Profile): string {
  const { seed, nodes, clients, stockClients, seconds, writesPerSecond } = options
  const head =
    `seed ${seed}: ${nodes} nodes, ${clients} native and ${stockClients} stock clients,` +
    ` ${writesPerSecond} writes/s, ${seconds} virtual seconds`
  return [head, ...showProfile(profile)].join("\n")
}

export function showEnd({ report, realMs }: Timed): string {
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
    "last events:",
    ...failure.lastEvents.map((line) => `  ${line}`),
    "",
    `verdict  VIOLATION of ${failure.invariant} at ${failure.atMs.toFixed(3)} ms,` +
      ` seed ${report.options.seed}`,
    `         ${failure.message}`,
    ...(failure.invariant === "assertion" ? [failure.stack ?? ""] : []),
    `replay   ${replayCommand(report.options)}`,
  ].join("\n")
}

/** How much of the time that each phase of liveness may take it took. */
function showBudgets({ convergences }: RunReport): string {
  const parts = convergences.map(({ phase, nodes, tookMs, budgetMs }) => {
    const who = phase === "core" ? `a core of ${nodes}` : `all ${nodes}`
    return `${who} in ${(tookMs / 1000).toFixed(1)} s of ${(budgetMs / 1000).toFixed(0)} s`
  })
  return parts.join(", ")
}

/** One line per run of many. */
export function showLine({ report, realMs }: Timed): string {
  const { failure, options, virtualMs } = report
  const verdict =
    failure === undefined ? "ok" : `VIOLATION of ${failure.invariant}: ${failure.message}`
  const speed = Math.round(virtualMs / Math.max(1, realMs))
  return `seed ${options.seed}  ${verdict}  ${speed} × ${report.hash.slice(0, 16)}`
}

export function toJson({ report, realMs }: Timed): string {
  const { profile, faults, ...rest } = report
  const drawn = profile.faults.map(({ fault, everyMs }) => ({ name: fault.name, everyMs }))
  return JSON.stringify({
    ...rest,
    profile: { ...profile, workload: profile.workload.name, faults: drawn },
    faults: Object.fromEntries(faults),
    realMs,
    replay: replayCommand(report.options),
  })
}
