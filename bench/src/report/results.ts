/**
 * All runs of a benchmark and the figures made of them. Invariant: a figure is only ever made of
 * runs of one scenario and one server, and a ratio only of runs of the same round, so that whatever
 * else the machine did in that round weighs on both sides.
 */
import type { MeasureName, Measures } from "../measure/measures.ts"
import { spreadOf } from "../measure/statistics.ts"
import type { Spread } from "../measure/statistics.ts"
import type { ServerName } from "../servers/catalog.ts"

/** One round of one scenario with one server. */
export type Run = {
  readonly scenario: string
  readonly server: ServerName
  readonly round: number
  readonly measures: Measures
  readonly failures: readonly string[]
}

export class Results {
  readonly #runs: Run[] = []

  get runs(): readonly Run[] {
    return this.#runs
  }

  add(run: Run): void {
    this.#runs.push(run)
  }

  /** Whether anything was measured for this row. */
  has(scenario: string, server: ServerName): boolean {
    return this.#of(scenario, server).some((run) => Object.keys(run.measures).length > 0)
  }

  /** Whether a run of this row failed: then its figures are not to be trusted. */
  hasFailed(scenario: string, server: ServerName): boolean {
    return this.#of(scenario, server).some((run) => run.failures.length > 0)
  }

  figure(scenario: string, server: ServerName, measure: MeasureName): Spread | undefined {
    return spreadOf(valuesOf(this.#of(scenario, server), measure))
  }

  /** `server`'s measure divided by `base`'s, round by round. */
  ratio(
    scenario: string,
    measure: MeasureName,
    server: ServerName,
    base: ServerName,
  ): Spread | undefined {
    const bases = this.#of(scenario, base)
    const ratios = this.#of(scenario, server).flatMap((run) => {
      const other = bases.find((candidate) => candidate.round === run.round)
      const value = run.measures[measure]
      const divisor = other?.measures[measure]
      return value === undefined || divisor === undefined || divisor === 0 ? [] : [value / divisor]
    })
    return spreadOf(ratios)
  }

  /** Every failure, named by where it happened. */
  failures(): string[] {
    return this.#runs.flatMap((run) =>
      run.failures.map((text) => `${run.scenario}, ${run.server}, round ${run.round}: ${text}`),
    )
  }

  #of(scenario: string, server: ServerName): readonly Run[] {
    return this.#runs.filter((run) => run.scenario === scenario && run.server === server)
  }
}

function valuesOf(runs: readonly Run[], measure: MeasureName): number[] {
  return runs.flatMap((run) => {
    const value = run.measures[measure]
    return value === undefined ? [] : [value]
  })
}
