/**
 * The tables of the matrix: who lost what, how often; then what was seen behind each verdict; then
 * what of the known behaviour of Hocuspocus came out the same. Pure.
 */
import { renderTable } from "../report/table.ts"
import type { MatrixCase } from "./cases.ts"
import type { Contender, ContenderName } from "./contenders.ts"
import type { Run, Skipped } from "./runs.ts"
import { findings, lostWords, meanings } from "./verdict.ts"
import type { Finding } from "./verdict.ts"

export type Matrix = {
  readonly cases: readonly MatrixCase[]
  readonly contenders: readonly Contender[]
  readonly runs: readonly Run[]
  readonly skipped: readonly Skipped[]
}

const nothing = "–"

function runsOf(matrix: Matrix, name: string, contender: ContenderName): Run[] {
  return matrix.runs.filter((run) => run.case === name && run.contender === contender)
}

function countOf(runs: readonly Run[], fits: (run: Run) => boolean): string {
  return `${runs.filter(fits).length}/${runs.length}`
}

function has(run: Run, finding: Finding): boolean {
  return run.outcome === "played" && run.findings.includes(finding)
}

/** "lost 3/3, hung 1/3", "kept 3/3", "skipped". */
export function verdictCell(matrix: Matrix, name: string, contender: ContenderName): string {
  const runs = runsOf(matrix, name, contender)
  if (runs.length === 0) return "skipped"
  const found = findings
    .filter((finding) => runs.some((run) => has(run, finding)))
    .map((finding) => `${finding} ${countOf(runs, (run) => has(run, finding))}`)
  if (runs.some((run) => run.outcome === "failed")) {
    found.push(`not played ${countOf(runs, (run) => run.outcome === "failed")}`)
  }
  return found.length === 0 ? `kept ${runs.length}/${runs.length}` : found.join(", ")
}

/** Who lost what. */
export function renderVerdicts(matrix: Matrix): string {
  const headings = ["case", "what happens", ...matrix.contenders.map(({ label }) => label)]
  const rows = matrix.cases.map(({ name, title }) => [
    name,
    title,
    ...matrix.contenders.map((contender) => verdictCell(matrix, name, contender.name)),
  ])
  return renderTable(headings, rows, headings.length)
}

/** What is behind the verdicts: for each word, in how many runs it was told, stored, there. */
export function renderFates(matrix: Matrix): string {
  const headings = ["case", "contender", "write", "told safe", "on disk", "after restart", "nodes"]
  const rows = matrix.cases.flatMap(({ name }) =>
    matrix.contenders.flatMap((contender) =>
      fateRows(runsOf(matrix, name, contender.name)).map((row) => [name, contender.name, ...row]),
    ),
  )
  return renderTable(headings, rows, 3)
}

function fateRows(runs: readonly Run[]): string[][] {
  const played = runs.filter((run) => run.outcome === "played")
  const words = new Set(
    played.flatMap(({ observation }) => observation.fates.map(({ word }) => word)),
  )
  const same = played.filter(({ observation }) => observation.same !== undefined)
  const nodes =
    same.length === 0
      ? nothing
      : `same ${same.filter(({ observation }) => observation.same === true).length}/${same.length}`
  return [...words].map((word) => {
    const fates = played.flatMap(({ observation }) =>
      observation.fates.filter((fate) => fate.word === word),
    )
    const looked = fates.filter(({ onDisk }) => onDisk !== undefined)
    const count = (some: readonly boolean[]): string =>
      some.length === 0 ? nothing : `${some.filter(Boolean).length}/${some.length}`
    return [
      word,
      count(fates.map(({ told }) => told)),
      count(looked.map(({ onDisk }) => onDisk === true)),
      count(fates.map(({ after }) => after.length > 0 && !after.includes(false))),
      nodes,
    ]
  })
}

/** What was seen besides, with how often. */
export function renderRemarks(matrix: Matrix): string {
  const counts = new Map<string, number>()
  for (const run of matrix.runs) {
    if (run.outcome !== "played") continue
    for (const remark of run.observation.remarks ?? []) {
      const line = `${run.case}, ${run.contender}: ${remark}`
      counts.set(line, (counts.get(line) ?? 0) + 1)
    }
  }
  return [...counts].map(([line, count]) => `- ${line} (${count} ×)`).join("\n")
}

/** What each verdict means. */
export function renderMeanings(): string {
  return [
    "- **kept**: none of these, in every run",
    ...findings.map((finding) => `- **${finding}**: ${meanings[finding]}`),
  ].join("\n")
}

/** For each case, whether what is known of Hocuspocus 4.7.0 was seen again. */
export function renderKnown(matrix: Matrix): string {
  const lines = matrix.cases.flatMap(({ name, known }) => {
    const runs = runsOf(matrix, name, "hocuspocus").filter((run) => run.outcome === "played")
    if (runs.length === 0) return []
    const told = known.map((finding) => {
      const count = countOf(runs, (run) => has(run, finding))
      return `${finding}: ${count.startsWith("0/") ? "not seen" : "seen"} (${count})`
    })
    const more = findings
      .filter((finding) => !known.includes(finding) && runs.some((run) => has(run, finding)))
      .map((finding) => `${finding}: new (${countOf(runs, (run) => has(run, finding))})`)
    const all = [...told, ...more]
    return [
      `- ${name}: ${all.length === 0 ? "nothing to find, and nothing found" : all.join("; ")}`,
    ]
  })
  return lines.join("\n")
}

/** Why the command fails: anything found at Causeway, and runs of it that could not be played. */
export function failuresOf(matrix: Matrix): string[] {
  const ours = new Set(matrix.contenders.filter((one) => one.ours).map((one) => one.name))
  return matrix.runs
    .filter((run) => ours.has(run.contender))
    .flatMap((run) => {
      const where = `${run.case}, ${run.contender}, run ${run.time}`
      if (run.outcome === "failed") return [`${where}: ${run.error}`]
      if (run.findings.length === 0) return []
      const lost = lostWords(run.observation)
      return [`${where}: ${run.findings.join(", ")}${lost.length > 0 ? `: ${lost.join(" ")}` : ""}`]
    })
}
