/** Words for a hunt: a line per mutant, a table of all, JSON for machines. */
import { basename } from "node:path"
import type { Catch } from "./hunt-options.ts"
import type { Judge } from "./mutant.ts"
import type { MutantResult } from "./task.ts"
import type { FailedTest } from "./vitest.ts"

const INDENT = "    "

/** A result that stands for itself. */
export function showResult(result: MutantResult): string {
  const { mutant, caught, dirty, tally, error } = result
  const lines = [rowOf(result).join("  "), mutant.bug]
  if (caught?.type === "failed") lines.push(caught.test)
  if (caught !== undefined) lines.push(firstLine(caught.message))
  if (tally.size > 0) lines.push(showTally(tally))
  for (const one of dirty) lines.push(`unpatched, ${placeOf(one)}: ${firstLine(one.message)}`)
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    lines.push(cause.message)
  }
  return lines.join(`\n${INDENT}`)
}

function placeOf(one: Catch | FailedTest): string {
  if (one.type === "failed") return `the test "${one.test}" fails`
  return `seed ${one.seed} breaks ${one.invariant}`
}

function showTally(tally: ReadonlyMap<string, number>): string {
  const counts = [...tally].sort(([, one], [, two]) => two - one)
  return `noticed by ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}`
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? ""
}

const head = ["mutant", "breaks", "caught by", "seeds", "time"] as const

export function showTable(results: readonly MutantResult[]): string {
  const rows = [[...head], ...results.map(rowOf)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0))
    return cells.join("  ").trimEnd()
  })
  return [...lines, "", showSum(results)].join("\n")
}

function rowOf(result: MutantResult): string[] {
  const { mutant, caught, ms } = result
  const seconds = `${(ms / 1000).toFixed(1)} s`
  const seed = caught?.type === "caught" ? `${caught.seed}` : "-"
  return [mutant.name, mutant.breaks.join(" "), verdictOf(result), seed, seconds]
}

function verdictOf({ mutant: { judge }, verdict, caught }: MutantResult): string {
  if (verdict === "broken") return "BROKEN PATCH"
  if (verdict === "dirty") return "NOT JUDGED"
  if (caught === undefined) return "SURVIVED"
  if (caught.type === "failed") return `test ${basename(caught.file)}`
  const expected = expectedOf(judge)
  const { invariant } = caught
  return expected.includes(invariant) ? invariant : `${invariant} (expected ${expected.join(", ")})`
}

/** Who must notice, in words: invariants, or the test file. */
export function expectedOf(judge: Judge): readonly string[] {
  if (judge.type === "simulator") return judge.caughtBy
  return [judge.title === undefined ? judge.file : `${judge.file} -t ${judge.title}`]
}

function showSum(results: readonly MutantResult[]): string {
  const count = (verdict: MutantResult["verdict"]): number =>
    results.filter((result) => result.verdict === verdict).length
  const invariants = new Set<string>()
  let byTests = 0
  for (const { caught } of results) {
    if (caught?.type === "caught") invariants.add(caught.invariant)
    else if (caught?.type === "failed") byTests += 1
  }
  return (
    `${results.length} mutants, ${count("caught") - byTests} caught by ${invariants.size}` +
    ` invariants, ${byTests} by tests, ${count("survived")} survived,` +
    ` ${count("dirty") + count("broken")} could not be judged`
  )
}

export function toJson(result: MutantResult): string {
  const { mutant, verdict, caught, dirty, tally, error, ms } = result
  const { name, bug, breaks, judge } = mutant
  return JSON.stringify({
    name,
    bug,
    breaks,
    expected: expectedOf(judge),
    ...(judge.type === "simulator" ? { options: judge.options } : {}),
    verdict,
    ...(caught === undefined ? {} : { ...caught, type: undefined }),
    dirty,
    tally: Object.fromEntries(tally),
    error: error?.message,
    ms,
  })
}
