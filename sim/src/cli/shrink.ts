/** `sim shrink`: makes a failing run as small as it gets, and writes it down. */
import type { Command } from "commander"
import type { Catalogue } from "../catalogue.ts"
import { plainOptions } from "../options.ts"
import type { SimOptions } from "../options.ts"
import { showEnd } from "../report.ts"
import { startRun } from "../run.ts"
import type { RunReport } from "../run.ts"
import { smaller } from "../shrink/candidates.ts"
import type { Failing } from "../shrink/candidates.ts"
import { toEnd } from "./advance.ts"
import { choose, exitCodes, number, optionsOf, replayOption, seed, withSize } from "./arguments.ts"
import type { Replay, SizeArguments } from "./arguments.ts"
import { interruption } from "./interruption.ts"
import { checkOutput, writeOutput } from "./output.ts"

type Arguments = SizeArguments & {
  readonly seed?: number
  readonly replay?: Replay
  readonly minutes: number
  readonly out: string
}

export function addShrink(program: Command): void {
  const command = program
    .command("shrink")
    .description("Finds the fewest faults, writes and hosts that still break the same invariant.")
    .option("--seed <n>", "of a run that fails, with the same options as it had", seed)
    .addOption(replayOption("start from what an earlier shrink wrote"))
  withSize(command, plainOptions(0))
    .option("--minutes <n>", "then the smallest found so far has to do", number(0, 100_000), 10)
    .option("--out <file>", "where the smallest run is written", "failure.json")
    .action(async (given: Arguments) => {
      process.exitCode = await shrink(given)
    })
}

async function shrink(asked: Arguments): Promise<number> {
  const { given, catalogue } = await choose(asked)
  if (given.seed === undefined && given.replay === undefined) {
    process.stderr.write("error: --seed or --replay is wanted: which run fails?\n")
    return exitCodes.refused
  }
  checkOutput(given.out)
  const options = given.replay?.options ?? optionsOf(given, plainOptions(given.seed ?? 0))
  process.stdout.write("running the whole failure first\n")
  const report = await toEnd(startRun(options, catalogue), true)
  if (report?.failure === undefined) {
    const why = report === undefined ? "interrupted" : "this run keeps every promise"
    process.stdout.write(`${why}: nothing to shrink\n`)
    return report === undefined ? exitCodes.interrupted : exitCodes.kept
  }
  const best = await search(report, catalogue, given.minutes * 60_000)
  writeOutput(given.out, `${JSON.stringify(best.options, undefined, 2)}\n`)
  process.stdout.write(
    `\n${showEnd(best, { replay: given.out, with: given.with })}\n\n` +
      `${sizeOf(best.options)}\nwritten to ${given.out}; to see it again:\n` +
      `  npm run sim -- run --replay ${given.out}\n` +
      `  npm run sim -- show --replay ${given.out}\n`,
  )
  return interruption.signal.aborted ? exitCodes.interrupted : exitCodes.broken
}

type Best = { readonly options: SimOptions; readonly report: RunReport; readonly realMs: number }

async function search(first: RunReport, catalogue: Catalogue, budgetMs: number): Promise<Best> {
  const startMs = performance.now()
  const shrinking = smaller(failingOf(first))
  let best: Best = { options: failingOf(first), report: first, realMs: 0 }
  let step = shrinking.next()
  for (let tries = 1; step.done !== true; tries++) {
    if (performance.now() - startMs > budgetMs || interruption.signal.aborted) break
    const triedMs = performance.now()
    const report = await toEnd(startRun(step.value, catalogue), true)
    const fails = report?.failure?.invariant === first.failure?.invariant
    if (fails && report !== undefined) {
      best = { options: step.value, report, realMs: performance.now() - triedMs }
      process.stdout.write(`${String(tries).padStart(5)} tries: ${sizeOf(best.options)}\n`)
    }
    step = shrinking.next(fails)
  }
  return best
}

/** Its faults as a list, and its writes as a number, so that both can get fewer. */
function failingOf({ options, schedule, writes }: RunReport): Failing {
  return { ...options, schedule, writesMax: options.writesMax ?? writes }
}

function sizeOf({
  schedule,
  writesMax,
  nodes,
  clients,
  stockClients,
  seconds,
}: SimOptions): string {
  const faults = schedule?.map(({ fault }) => fault) ?? []
  const named = faults.length <= 8 ? ` (${faults.join(", ") || "none"})` : ""
  return (
    `${faults.length} faults${named}, ${writesMax} writes, ${nodes} nodes,` +
    ` ${clients} native and ${stockClients} stock clients, ${seconds} s`
  )
}
