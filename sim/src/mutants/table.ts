/** Words for a hunt: a line per mutant, a table of all, JSON for machines. */
import type { MutantResult } from "./index.ts"

const INDENT = "    "

/** A result that stands for itself. */
export function showResult(result: MutantResult): string {
  const { mutant, caught, dirty, tally, error } = result
  const lines = [rowOf(result).join("  "), mutant.bug]
  if (caught !== undefined) lines.push(firstLine(caught.message))
  if (tally.size > 0) lines.push(showTally(tally))
  for (const { seed, invariant, message } of dirty) {
    lines.push(`unpatched, seed ${seed} breaks ${invariant}: ${firstLine(message)}`)
  }
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    lines.push(cause.message)
  }
  return lines.join(`\n${INDENT}`)
}

function showTally(tally: ReadonlyMap<string, number>): string {
  const counts = [...tally].sort(([, one], [, two]) => two - one)
  return `noticed by ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}`
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? ""
}

const head = ["mutant", "caught by", "seeds", "time"] as const

export function showTable(results: readonly MutantResult[]): string {
  const rows = [[...head], ...results.map(rowOf)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0))
    return cells.join("  ").trimEnd()
  })
  return [...lines, "", showSum(results)].join("\n")
}

function rowOf({ mutant, verdict, caught, ms }: MutantResult): string[] {
  const seconds = `${(ms / 1000).toFixed(1)} s`
  if (verdict === "broken") return [mutant.name, "BROKEN PATCH", "-", seconds]
  if (verdict === "dirty") return [mutant.name, "NOT JUDGED", "-", seconds]
  if (caught === undefined) return [mutant.name, "SURVIVED", "-", seconds]
  const { seed, invariant } = caught
  const expected = mutant.caughtBy.includes(invariant)
  const said = expected ? invariant : `${invariant} (expected ${mutant.caughtBy.join(", ")})`
  return [mutant.name, said, `${seed}`, seconds]
}

function showSum(results: readonly MutantResult[]): string {
  const count = (verdict: MutantResult["verdict"]): number =>
    results.filter((result) => result.verdict === verdict).length
  const invariants = new Set(results.map(({ caught }) => caught?.invariant))
  invariants.delete(undefined)
  return (
    `${results.length} mutants, ${count("caught")} caught by ${invariants.size} invariants,` +
    ` ${count("survived")} survived, ${count("dirty") + count("broken")} could not be judged`
  )
}

export function toJson(result: MutantResult): string {
  const { mutant, verdict, caught, dirty, tally, error, ms } = result
  const { name, bug, caughtBy, options } = mutant
  return JSON.stringify({
    name,
    bug,
    expected: caughtBy,
    options,
    verdict,
    ...(caught === undefined ? {} : { ...caught, type: undefined }),
    dirty,
    tally: Object.fromEntries(tally),
    error: error?.message,
    ms,
  })
}
