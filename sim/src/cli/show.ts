/** `sim show`: one run as a page. */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { Command } from "commander"
import { plainOptions, SEED_MAX } from "../options.ts"
import { replayCommand } from "../report.ts"
import { renderPage, startRecording } from "../show/index.ts"
import { toEnd } from "./advance.ts"
import { choose, exitCodes, optionsOf, replayOption, seed, withSize } from "./arguments.ts"
import type { Replay, SizeArguments } from "./arguments.ts"
import { checkOutput, writeOutput } from "./output.ts"

type Arguments = SizeArguments & {
  readonly seed?: number
  readonly replay?: Replay
  readonly out: string
}

export function addShow(program: Command): void {
  const command = program
    .command("show")
    .description("Runs one seed and writes a page: who was cut off, crashes, writes, convergence.")
    .option("--seed <n>", "this run (default: a random one)", seed)
    .addOption(replayOption("what `sim shrink` wrote"))
  withSize(command, plainOptions(0))
    .option("--out <file>", "the page, one file that needs nothing else", "report.html")
    .action(async (given: Arguments) => {
      process.exitCode = await show(given)
    })
}

async function show(asked: Arguments): Promise<number> {
  const { given, catalogue } = await choose(asked)
  checkOutput(given.out)
  const drawn = Math.floor(Math.random() * SEED_MAX)
  const options = given.replay?.options ?? optionsOf(given, plainOptions(given.seed ?? drawn))
  const { run, timeline } = startRecording(options, catalogue)
  const report = await toEnd(run, false)
  if (report === undefined) return exitCodes.interrupted
  const { invariants } = catalogue
  const replay = replayCommand(options, { replay: given.replay?.path, with: given.with })
  const { failure } = report
  const verdict = failure === undefined ? "every promise kept" : `VIOLATION of ${failure.invariant}`
  process.stdout.write(`seed ${options.seed}: ${verdict}\n`)
  writeOutput(given.out, renderPage({ report, timeline: timeline(), replay, invariants }))
  process.stdout.write(`open ${pathToFileURL(resolve(given.out)).href}\n`)
  return failure === undefined ? exitCodes.kept : exitCodes.broken
}
