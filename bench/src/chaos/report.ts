/** What a run ends with: a table for people, JSON for machines. */
import { faultTypes } from "./faults.ts"
import type { RunResult } from "./run.ts"

export type Header = {
  readonly seed: number
  readonly nodes: number
  readonly profile: string
  readonly skipped: readonly string[]
}

/** Violations that are printed; the JSON has all. */
const printedMax = 20

export function reportOf(header: Header, result: RunResult): string {
  const { counts, heals, violations } = result
  const acked = counts.node + counts.quorum + counts.all
  const lost = (rule: string) => String(violations.filter((found) => found.rule === rule).length)
  const facts: [string, string][] = [
    ["seed", `${header.seed}, ${header.nodes} nodes, profile ${header.profile}`],
    ["time", `${result.seconds.toFixed(0)} s, ${result.rounds} rounds healed`],
    ["writes", `${counts.writes} in ${result.documents} documents`],
    ["acked", `${acked}: ${counts.node} node, ${counts.quorum} quorum, ${counts.all} all`],
    ["seen by others", String(counts.seen)],
    ...faultTypes.map((type): [string, string] => [type, String(result.faults.get(type) ?? 0)]),
    ["longest heal", `${(Math.max(0, ...heals) / 1000).toFixed(1)} s of ${heals.length}`],
    ["largest node", `${Math.round(result.residentMb)} MB`],
    ["acked lost", lost("acked-lost")],
    ["violations", String(violations.length)],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  for (const [message, count] of Object.entries(result.complaints)) {
    facts.push(["logged", `${count} × ${message}`])
  }
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
  for (const reason of header.skipped) lines.push(`SKIPPED: ${reason}`)
  for (const { rule, message } of violations.slice(0, printedMax))
    lines.push(`FAILED ${rule}: ${message}`)
  if (violations.length > printedMax) lines.push(`… and ${violations.length - printedMax} more`)
  if (result.kept !== undefined) lines.push(`logs and data: ${result.kept}`)
  return lines.join("\n")
}

export function jsonOf(header: Header, result: RunResult): string {
  const faults = Object.fromEntries(result.faults)
  return `${JSON.stringify({ ...header, ...result, faults }, undefined, 2)}\n`
}
