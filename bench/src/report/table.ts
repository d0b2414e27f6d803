/**
 * Tables as Markdown with aligned columns, readable in a terminal and ready to be pasted. A cell is
 * "median (min–max)", just the value when all rounds agree, and a dash where nothing was measured.
 */
import type { Spread } from "../measure/statistics.ts"
import type { Scenario } from "../scenarios/scenario.ts"
import type { ServerSpec } from "../servers/catalog.ts"
import { tableSpecs } from "./columns.ts"
import type { TableName } from "./columns.ts"
import type { Results } from "./results.ts"

const nothing = "–"

/** `value` with three significant figures, more only before the decimal point. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US")
  if (size >= 10) return value.toFixed(1)
  return size >= 0.01 || size === 0 ? value.toFixed(2) : value.toPrecision(1)
}

/** "median (min–max)"; one number when there is nothing to spread. */
export function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined) return nothing
  const median = formatNumber(spread.median)
  const range = `${formatNumber(spread.min)}–${formatNumber(spread.max)}`
  return spread.count === 1 || range === `${median}–${median}` ? median : `${median} (${range})`
}

/** Rows of cells under headings; the first `leftColumns` are text, the others numbers. */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  leftColumns: number,
): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? ""
      return column < leftColumns ? cell.padEnd(width) : cell.padStart(width)
    })
    return `| ${padded.join(" | ")} |`
  }
  const rule = widths.map((width, column) =>
    column < leftColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  )
  return [line(headings), line(rule), ...rows.map(line)].join("\n")
}

/** One table of the report: every scenario of it, one row per server. */
export function renderResults(
  table: TableName,
  scenarios: readonly Scenario[],
  servers: readonly ServerSpec[],
  results: Results,
): string {
  const { title, ratioOf, columns } = tableSpecs[table]
  const ratioHeading = ratioOf === undefined ? [] : ["Causeway ÷ it"]
  const headings = ["scenario", "server", ...columns.map((one) => one.heading), ...ratioHeading]
  const ratioCell = (scenario: string, server: ServerSpec): string =>
    ratioOf === undefined || server.name === "causeway"
      ? nothing
      : formatSpread(results.ratio(scenario, ratioOf, "causeway", server.name))
  const rows = scenarios.flatMap((scenario) =>
    servers
      .filter((server) => results.has(scenario.name, server.name))
      .map((server) => [
        scenario.name,
        results.hasFailed(scenario.name, server.name) ? `${server.label} (FAILED)` : server.label,
        ...columns.map(({ measure }) =>
          formatSpread(results.figure(scenario.name, server.name, measure)),
        ),
        ratioCell(scenario.name, server),
      ]),
  )
  return `## ${title}\n\n${renderTable(headings, rows, 2)}`
}
