/** `sim faults`: lists and explains what a run can be made of. */
import type { Command } from "commander"
import { builtIn } from "../catalogue.ts"
import { scoreboardRows } from "../faults/index.ts"

type Arguments = { readonly json: boolean }

/** Columns of a terminal that explanations are broken at. */
const COLUMNS = 100
const INDENT = 28

export function addFaults(program: Command): void {
  program
    .command("faults")
    .description("Lists and explains faults, workloads and invariants.")
    .option("--json", "as one JSON object", false)
    .action(({ json }: Arguments) => {
      process.stdout.write(json ? `${toJson()}\n` : `${toText()}\n`)
    })
}

function toJson(): string {
  const { faults, workloads, invariants } = builtIn
  return JSON.stringify({
    faults: faults.map(({ name, explain, row, everyMs, lastsMs }) => {
      return { name, explain, row, everyMs, lastsMs }
    }),
    workloads: workloads.map(({ name, explain }) => ({ name, explain })),
    invariants: invariants.map(({ name, explain }) => ({ name, explain })),
  })
}

function toText(): string {
  const { faults, workloads, invariants } = builtIn
  const rows = scoreboardRows.flatMap((row) => [
    `\n  ${row}`,
    ...faults
      .filter((fault) => fault.row === row)
      .map(({ name, explain, everyMs }) => entry(name, `${explain}; every ${range(everyMs)}`)),
  ])
  const listed = (list: readonly { readonly name: string; readonly explain: string }[]): string[] =>
    list.map(({ name, explain }) => entry(name, explain))
  return [
    "Faults (--faults), by line of the scoreboard; each run draws which it has and how often:",
    ...rows,
    "\nWorkloads (--workload):\n",
    ...listed(workloads),
    "\nInvariants, all watched in every run:\n",
    ...listed(invariants),
  ].join("\n")
}

function range([min, max]: readonly [number, number]): string {
  return `${min / 1000} to ${max / 1000} s`
}

function entry(name: string, explain: string): string {
  const lines: string[] = [""]
  for (const word of explain.split(" ")) {
    const line = lines.at(-1) ?? ""
    if (line.length + word.length + 1 > COLUMNS - INDENT) lines.push(word)
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`
  }
  return `    ${name.padEnd(INDENT - 4)}${lines.join(`\n${" ".repeat(INDENT)}`)}`
}
