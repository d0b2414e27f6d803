/**
 * `npm run bench`: measures Causeway and its peers side by side and prints one table per set of
 * scenarios. Exit code 1 when a server failed or a document came out wrong; a server that is not
 * there is named and left out. Invariant: no process and no data outlives this one, also not after
 * Ctrl-C.
 */
import { rmSync } from "node:fs"
import { mkdtemp, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { killAllLoads } from "./load/load-process.ts"
import { parseOptions } from "./options.ts"
import type { Options } from "./options.ts"
import { tableNames } from "./report/columns.ts"
import { renderGoals } from "./report/goals.ts"
import { folderWarning, headerLine } from "./report/header.ts"
import type { Results } from "./report/results.ts"
import { renderResults } from "./report/table.ts"
import { warningsOf } from "./report/warnings.ts"
import { runPlan } from "./runner.ts"
import { createScenarios } from "./scenarios/catalog.ts"
import { serverSpec, whyMissing } from "./servers/catalog.ts"
import type { ServerSpec } from "./servers/catalog.ts"
import { killAllServers } from "./servers/server-process.ts"

/** Exit code of a program ended by SIGINT. */
const interrupted = 130

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function list(options: Options): void {
  for (const { name, title } of options.scenarios)
    console.log(`scenario ${name.padEnd(18)} ${title}`)
  for (const name of options.servers) {
    console.log(`server   ${name.padEnd(18)} ${serverSpec(name).label}`)
  }
}

function presentServers(options: Options): ServerSpec[] {
  return options.servers.map(serverSpec).filter((spec) => {
    const why = whyMissing(spec)
    if (why !== undefined) say(`${spec.name} is left out: ${why}`)
    return why === undefined
  })
}

function printReport(
  header: string,
  options: Options,
  servers: readonly ServerSpec[],
  results: Results,
): void {
  console.log(`${header}\n`)
  if (options.quick) console.log("A quick run, far below full size: its figures mean nothing.\n")
  for (const warning of warningsOf(results)) console.log(`Warning: ${warning}\n`)
  for (const table of tableNames) {
    const scenarios = options.scenarios.filter((scenario) => scenario.table === table)
    if (scenarios.length > 0) console.log(`${renderResults(table, scenarios, servers, results)}\n`)
  }
  const goals = options.quick ? undefined : renderGoals(results)
  if (goals !== undefined) console.log(`${goals}\n`)
  for (const failure of results.failures()) console.log(`FAILED ${failure}`)
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), createScenarios())
  if (options.list) {
    list(options)
    return 0
  }
  const servers = presentServers(options)
  if (servers.length === 0) {
    say("none of the chosen servers is there")
    return 1
  }
  const header = headerLine(new Date())
  say(header)
  const warning = folderWarning(options.folder)
  if (warning !== undefined) say(`warning: ${warning}`)
  const root = await mkdtemp(join(options.folder, "causeway-bench-"))
  process.on("exit", () => {
    killAllLoads()
    killAllServers()
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  })
  const { scenarios, rounds, scale } = options
  const results = await runPlan({ scenarios, servers, rounds, scale, root, progress: say })
  printReport(header, options, servers, results)
  if (options.json !== undefined) {
    const report = { header, rounds, scale, quick: options.quick, runs: results.runs }
    await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return results.failures().length > 0 || results.runs.length === 0 ? 1 : 0
}

process.on("SIGINT", () => process.exit(interrupted))
process.on("SIGTERM", () => process.exit(interrupted))
process.exitCode = await main()
