/** `sim mutants`: plants bugs and checks that the simulator, or a test, notices each. */
import { availableParallelism } from "node:os"
import type { Command } from "commander"
import { listMutants, runMutants } from "../mutants/index.ts"
import { expectedOf, showResult, showTable, toJson } from "../mutants/table.ts"
import { exitCodes, names, whole } from "./arguments.ts"
import { interruption } from "./interruption.ts"

type Arguments = {
  readonly jobs: number
  readonly only?: readonly string[]
  readonly seedsMax: number
  readonly tally: number
  readonly list: boolean
  readonly json: boolean
}

const SEEDS_MAX = 500

export function addMutants(program: Command): void {
  program
    .command("mutants")
    .description(
      "Plants protocol bugs in a scratch copy; each must be caught, by the simulator or a test.",
    )
    .option("--jobs <n>", "hunts at a time", whole(1, 256), availableParallelism())
    .option("--only <names>", "these, separated by commas", (text) => text.split(","))
    .option("--seeds-max <n>", "seeds after which a mutant has survived", whole(1, 1e6), SEEDS_MAX)
    .option("--tally <n>", "count who notices first on so many seeds more", whole(0, 1e6), 0)
    .option("--list", "only list them", false)
    .option("--json", "the table as JSON on stdout", false)
    .action(async (given: Arguments) => {
      process.exitCode = given.list ? list() : await mutants(given)
    })
}

function list(): number {
  for (const { name, bug, breaks, judge } of listMutants()) {
    const rules = breaks.map((rule) => `[${rule}]`).join(" ")
    const who = `caught by${judge.type === "test" ? " test" : ""}: ${expectedOf(judge).join(", ")}`
    process.stdout.write(`${name}\n    ${bug}\n    breaks: ${rules}\n    ${who}\n`)
  }
  return exitCodes.kept
}

async function mutants({ jobs, only, seedsMax, tally, json }: Arguments): Promise<number> {
  if (only !== undefined) names(listMutants().map(({ name }) => name))(only.join(","))
  const results = await runMutants({
    jobs,
    only,
    seedsMax,
    ...(tally === 0 ? {} : { tallySeeds: tally }),
    signal: interruption.signal,
    onProgress({ name }, at) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${at}`)
    },
    onResult(result) {
      if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")
      process.stdout.write(`${json ? toJson(result) : showResult(result)}\n`)
    },
  })
  if (!json) process.stdout.write(`\n${showTable(results)}\n`)
  if (interruption.signal.aborted) return exitCodes.interrupted
  const caught = results.every(({ verdict }) => verdict === "caught")
  return caught ? exitCodes.kept : exitCodes.broken
}
