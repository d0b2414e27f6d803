/** `sim run`: one seed, told as it goes. */
import type { Command } from "commander"
import type { Catalogue } from "../catalogue.ts"
import { plainOptions, SEED_MAX } from "../options.ts"
import type { SimOptions } from "../options.ts"
import { showEnd, showStart, toJson } from "../report.ts"
import type { Timed } from "../report.ts"
import { startRun } from "../run.ts"
import { toEnd } from "./advance.ts"
import { choose, exitCodes, optionsOf, replayOption, seed, withSize } from "./arguments.ts"
import type { Replay, SizeArguments } from "./arguments.ts"

type Arguments = SizeArguments & {
  readonly seed?: number
  readonly replay?: Replay
  readonly checkDeterminism: boolean
  readonly json: boolean
}

export function addRun(program: Command): void {
  const command = program
    .command("run", { isDefault: true })
    .description("Runs one cluster on virtual time, breaks things, checks every promise.")
    .option("--seed <n>", "replay this seed (default: a random one)", seed)
    .addOption(replayOption("run what `sim shrink` wrote"))
  withSize(command, plainOptions(0))
    .option("--check-determinism", "run twice and compare the traces", false)
    .option("--json", "one JSON object on stdout", false)
    .action(async (given: Arguments) => {
      process.exitCode = await run(given)
    })
}

async function run(asked: Arguments): Promise<number> {
  const { given, catalogue } = await choose(asked)
  const drawn = Math.floor(Math.random() * SEED_MAX)
  const options = given.replay?.options ?? optionsOf(given, plainOptions(given.seed ?? drawn))
  const source = { replay: given.replay?.path, with: given.with }
  const first = await runOnce(options, catalogue, given.json)
  if (first === undefined) return exitCodes.interrupted
  process.stdout.write(`${given.json ? toJson(first, source) : showEnd(first, source)}\n`)
  const kept = first.report.failure === undefined
  if (!given.checkDeterminism) return kept ? exitCodes.kept : exitCodes.broken
  const second = await runOnce(options, catalogue, true)
  if (second === undefined) return exitCodes.interrupted
  const same = second.report.hash === first.report.hash
  const verdict = same ? "the same trace twice" : `VIOLATION of determinism: ${second.report.hash}`
  process.stderr.write(`${verdict}\n`)
  return kept && same ? exitCodes.kept : exitCodes.broken
}

/** Undefined if the user had enough. */
async function runOnce(
  options: SimOptions,
  catalogue: Catalogue,
  quiet: boolean,
): Promise<Timed | undefined> {
  const startMs = performance.now()
  const simulation = startRun(options, catalogue)
  if (!quiet) process.stdout.write(`${showStart(options, simulation.profile)}\n`)
  const report = await toEnd(simulation, quiet)
  return report && { report, realMs: performance.now() - startMs }
}
