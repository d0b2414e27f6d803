/** `node sim/src/mutants/main.ts`: the hunt from the command line. Exit code 1: one survived. */
import { availableParallelism } from "node:os"
import { Command, InvalidArgumentError } from "commander"
import { runMutants } from "./index.ts"
import { showResult, showTable, toJson } from "./table.ts"

type Arguments = {
  readonly jobs: number
  readonly only?: readonly string[]
  readonly seedsMax: number
  readonly json: boolean
  readonly root?: string
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError("a whole number above 0 is wanted")
}

const given = new Command("mutants")
  .description("Plants protocol bugs in a scratch copy and checks that the simulator notices each.")
  .option("--jobs <n>", "hunts at a time", count, availableParallelism())
  .option("--only <names>", "a,b,c: these alone", (text) => text.split(","))
  .option("--seeds-max <n>", "a bug that outlives so many seeds survives", count, 500)
  .option("--root <folder>", "the repository to copy (default: this one)")
  .option("--json", "one JSON object per mutant on stdout", false)
  .parse()
  .opts<Arguments>()

const abort = new AbortController()
process.once("SIGINT", () => abort.abort())
process.once("SIGTERM", () => abort.abort())

function clear(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K")
}

async function main(): Promise<number> {
  const { jobs, only, seedsMax, json, root } = given
  const results = await runMutants({
    jobs,
    only,
    seedsMax,
    signal: abort.signal,
    ...(root === undefined ? {} : { root }),
    onProgress({ name }, seed) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${name}: seed ${seed}`)
    },
    onResult(result) {
      clear()
      process.stdout.write(`${json ? toJson(result) : showResult(result)}\n`)
    },
  })
  if (!json) process.stdout.write(`\n${showTable(results)}\n`)
  return results.every(({ verdict }) => verdict === "caught") ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  clear()
  if (!abort.signal.aborted) throw error
  process.stderr.write("interrupted\n")
  process.exitCode = 1
}
