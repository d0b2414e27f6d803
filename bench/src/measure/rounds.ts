/**
 * Measurements in rounds: one question each, put again and again, each time in a new folder. A
 * figure is the median over the rounds with the smallest and the largest beside it. Invariant: no
 * folder outlives its round.
 */
import { rmSync } from "node:fs"
import { mkdtemp, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { folderWarning, headerLine } from "../report/header.ts"
import { formatSpread, renderTable } from "../report/table.ts"
import { spreadOf } from "./statistics.ts"

export type Run = {
  readonly values: Readonly<Record<string, number>>
  /** What turned out wrong: then the figures mean nothing. */
  readonly failures: readonly string[]
}

export type Measurement<Scale> = {
  readonly name: string
  readonly title: string
  readonly columns: readonly { readonly key: string; readonly heading: string }[]
  /** `folder`: new and empty. */
  readonly run: (context: { readonly folder: string; readonly scale: Scale }) => Promise<Run>
}

/** What is said of every command that measures in rounds. */
export type RoundFlags = {
  /** Names of those that are wanted; empty: all. */
  readonly measure: readonly string[]
  readonly rounds: number
  readonly quick: boolean
  /** The disk that is measured. */
  readonly folder: string
  /** Where every run is written as JSON. */
  readonly json?: string
}

export type Rounds<Scale> = {
  readonly measurements: readonly Measurement<Scale>[]
  readonly flags: RoundFlags
  readonly scale: Scale
  /** Folders of rounds are made in it. */
  readonly root: string
}

/**
 * Each measurement's table goes to stdout when it is done, progress to stderr. Gives the exit code:
 * 1 if any run failed.
 */
export async function measureInRounds<Scale>(options: Rounds<Scale>): Promise<number> {
  const { flags, scale } = options
  const warning = folderWarning(flags.folder)
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`)
  const header = headerLine(new Date())
  console.log(`${header}\n`)
  if (flags.quick) console.log("A quick run, far below full size: its figures mean nothing.\n")
  const report = await runAll(options)
  const failures = failuresIn(report)
  for (const failure of failures) console.log(`FAILED ${failure}`)
  if (flags.json !== undefined) {
    await writeFile(flags.json, `${JSON.stringify({ header, scale, report }, undefined, 2)}\n`)
  }
  return failures.length > 0 ? 1 : 0
}

/** Runs by name. */
async function runAll<Scale>(options: Rounds<Scale>): Promise<Record<string, readonly Run[]>> {
  const { measurements, flags, scale, root } = options
  const { measure, rounds } = flags
  const report: Record<string, readonly Run[]> = {}
  for (const measurement of measurements) {
    if (measure.length > 0 && !measure.includes(measurement.name)) continue
    const runs: Run[] = []
    for (let round = 1; round <= rounds; round += 1) {
      const run = await runOnce(measurement, root, scale)
      runs.push(run)
      process.stderr.write(`${measurement.name} ${round}/${rounds}: ${JSON.stringify(run)}\n`)
    }
    report[measurement.name] = runs
    console.log(render(measurement, runs))
  }
  return report
}

/** One line for each failure of any run. */
function failuresIn(report: Readonly<Record<string, readonly Run[]>>): string[] {
  return Object.entries(report).flatMap(([name, runs]) =>
    runs.flatMap((run) => run.failures.map((failure) => `${name}: ${failure}`)),
  )
}

async function runOnce<Scale>(
  { run }: Measurement<Scale>,
  root: string,
  scale: Scale,
): Promise<Run> {
  const folder = await mkdtemp(join(root, "run-"))
  try {
    return await run({ folder, scale })
  } catch (error) {
    return { values: {}, failures: [error instanceof Error ? error.message : String(error)] }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

function render<Scale>({ title, columns }: Measurement<Scale>, runs: readonly Run[]): string {
  const cells = columns.map(({ key }) =>
    formatSpread(spreadOf(runs.flatMap(({ values }) => values[key] ?? []))),
  )
  const headings = columns.map(({ heading }) => heading)
  return `## ${title}\n\n${renderTable(headings, [cells], 0)}\n`
}
