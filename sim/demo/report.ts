/** The verdict, and the table that the demo ends with. Texts are compared byte for byte. */
import type { DemoResult } from "./demo.ts"

/** Undefined if the texts are equal, else a sentence about the first difference. */
export function differenceOf(text: string, expected: string): string | undefined {
  const [bytes, wanted] = [Buffer.from(text), Buffer.from(expected)]
  if (bytes.equals(wanted)) return undefined
  let at = 0
  while (at < Math.min(bytes.length, wanted.length) && bytes[at] === wanted[at]) at++
  return `differs at byte ${at} of ${wanted.length} (has ${bytes.length})`
}

export function isSuccess({ nodes, clients, expected }: DemoResult): boolean {
  const entries = new Set(nodes.map((node) => node.entries))
  const texts = [...nodes, ...clients]
  return entries.size === 1 && texts.every(({ text }) => text === expected)
}

export function reportOf(result: DemoResult): string {
  const { nodes, clients, expected, faults, linkBytes, replayMs, transactions } = result
  const verdict = (text: string) => differenceOf(text, expected) ?? "as expected"
  const rows = [
    ["", "entries", "accepted", "bytes", "text"],
    ...nodes.map(({ name, entries, ownEntries, text }) => {
      const counts = [count(entries), count(ownEntries), count(Buffer.byteLength(text))]
      return [`node ${name.toUpperCase()}`, ...counts, verdict(text)]
    }),
    ...clients.map(({ name, text }) => {
      return [name, "", "", count(Buffer.byteLength(text)), verdict(text)]
    }),
  ]
  const perSecond = count(Math.round(transactions / (replayMs / 1000)))
  const longestHealMs = Math.round(Math.max(0, ...faults.healMs))
  const facts = [
    ["transactions", `${count(transactions)} in ${(replayMs / 1000).toFixed(1)} s`],
    ["updates/s", `${perSecond}, cuts and restarts included`],
    ["cuts", String(faults.cuts)],
    ["kills", `${faults.kills} by SIGKILL`],
    ["longest heal", `${count(longestHealMs)} ms of ${faults.healMs.length}`],
    ["link bytes", count(linkBytes)],
    ["verdict", isSuccess(result) ? "PASSED: all show the expected text" : "FAILED"],
  ]
  return `${table(rows)}\n\n${table(facts)}\n`
}

function count(value: number): string {
  return value.toLocaleString("en")
}

/** Columns in line; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => {
    return Math.max(...rows.map((row) => row[column]?.length ?? 0))
  })
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, rows, column))
      .join("  ")
      .trimEnd()
  return rows.map(line).join("\n")
}

function pad(
  cell: string,
  width: number,
  rows: readonly (readonly string[])[],
  column: number,
): string {
  const isNumeric = rows.slice(1).every((row) => /^[\d,]*$/.test(row[column] ?? ""))
  return isNumeric ? cell.padStart(width) : cell.padEnd(width)
}
