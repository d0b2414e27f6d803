/**
 * What makes a report's figures doubtful: a machine that was busy with other things, a load
 * generator that could not keep its schedule by itself. Such runs are kept and shown, with this
 * said above them.
 */
import type { MeasureName } from "../measure/measures.ts"
import type { Results } from "./results.ts"

/** Percent of one core that others may use in a window before it counts as disturbed. */
const othersCpuPercentMax = 20
/** Lateness of the generator beyond which updates come in bursts, which servers merge. */
const latenessMsMax = 20

/** One line per doubt, none for a calm machine. */
export function warningsOf(results: Results): string[] {
  const warnings: string[] = []
  const disturbed = shareAbove(results, "othersCpuPercent", othersCpuPercentMax)
  if (disturbed !== undefined) {
    const limit = `${othersCpuPercentMax} % of a core`
    warnings.push(`other processes used more than ${limit} during ${disturbed}: figures are rough.`)
  }
  const late = shareAbove(results, "latenessP99Ms", latenessMsMax)
  if (late !== undefined) {
    const limit = `${latenessMsMax} ms`
    warnings.push(`the load generator was more than ${limit} late (p99) during ${late}: bursts.`)
  }
  return warnings
}

function shareAbove(results: Results, measure: MeasureName, limit: number): string | undefined {
  const values = results.runs.flatMap((run) => run.measures[measure] ?? [])
  const above = values.filter((value) => value > limit).length
  return above === 0 ? undefined : `${above} of ${values.length} runs under load`
}
