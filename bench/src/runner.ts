/**
 * Runs scenarios against servers in interleaved rounds: within a scenario every server has its turn
 * before the next round begins (ABCDE ABCDE ABCDE), so that whatever disturbs the machine for a
 * while does not fall on one server alone. A server that fails once in a scenario is left out of
 * its further rounds; the others go on.
 */
import type { MeasureName } from "./measure/measures.ts"
import { Results } from "./report/results.ts"
import { formatNumber } from "./report/table.ts"
import type { Run } from "./report/results.ts"
import type { Scale, Scenario } from "./scenarios/scenario.ts"
import type { ServerSpec } from "./servers/catalog.ts"

export type Plan = {
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly ServerSpec[]
  readonly rounds: number
  readonly scale: Scale
  readonly root: string
  readonly progress: (line: string) => void
}

/** What a progress line shows of a run, where it was measured. */
const highlights: readonly (readonly [MeasureName, string])[] = [
  ["cpuMicrosPerDelivered", "µs/delivered"],
  ["visibleP50Ms", "ms p50"],
  ["readyMs", "ms to ready"],
  ["seenLost", "seen updates lost"],
  ["residentMb", "MB RSS"],
]

/** Runs everything in `plan`; failures are in the results, not thrown. */
export async function runPlan(plan: Plan): Promise<Results> {
  const results = new Results()
  for (const scenario of plan.scenarios) {
    let servers = plan.servers.filter((server) => scenario.suits(server))
    const rounds = Math.min(plan.rounds, scenario.roundsMax ?? plan.rounds)
    for (let round = 1; round <= rounds; round += 1) {
      const failed = new Set<ServerSpec>()
      for (const server of servers) {
        const run = await runOnce(plan, scenario, server, round)
        results.add(run)
        if (run.failures.length > 0) failed.add(server)
        plan.progress(`${labelOf(scenario, server, round, rounds)}: ${summaryOf(run)}`)
      }
      servers = servers.filter((server) => !failed.has(server))
    }
  }
  return results
}

async function runOnce(
  plan: Plan,
  scenario: Scenario,
  server: ServerSpec,
  round: number,
): Promise<Run> {
  const { scale, root } = plan
  const progress = (text: string): void =>
    plan.progress(`${scenario.name}, ${server.name}: ${text}`)
  const where = { scenario: scenario.name, server: server.name, round }
  try {
    return { ...where, ...(await scenario.run({ server, scale, root, progress })) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { ...where, measures: {}, failures: [message] }
  }
}

function labelOf(scenario: Scenario, server: ServerSpec, round: number, rounds: number): string {
  return `${scenario.name}, ${server.name}, round ${round}/${rounds}`
}

function summaryOf(run: Run): string {
  if (run.failures.length > 0) return `FAILED: ${run.failures.join("; ")}`
  return highlights
    .flatMap(([measure, unit]) => {
      const value = run.measures[measure]
      return value === undefined ? [] : [`${formatNumber(value)} ${unit}`]
    })
    .join(", ")
}
