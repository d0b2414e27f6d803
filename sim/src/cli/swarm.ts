/** `sim swarm`: many seeds over the cores. */
import { availableParallelism } from "node:os"
import { SingleBar } from "cli-progress"
import { Option } from "commander"
import type { Command } from "commander"
import { drawnOptions, SEED_MAX } from "../options.ts"
import type { SimOptions } from "../options.ts"
import { replayCommand, showLastEvents } from "../report.ts"
import { Scoreboard } from "../swarm/scoreboard.ts"
import type { RunSummary } from "../swarm/summary.ts"
import { runSwarm, SwarmError } from "../swarm/swarm.ts"
import { choose, exitCodes, number, optionsOf, seedRange, whole, withSize } from "./arguments.ts"
import type { SizeArguments } from "./arguments.ts"
import { interruption } from "./interruption.ts"
import { checkOutput, writeOutput } from "./output.ts"

type Arguments = SizeArguments & {
  readonly seeds?: readonly [number, number]
  readonly runs?: number
  readonly jobs: number
  readonly minutes?: number
  readonly failuresMax: number
  readonly scoreboard: string | boolean
  readonly json: boolean
}

type Failure = Exclude<RunSummary["failure"], undefined>

const RUNS = 100
/** Without a terminal: a line this often says how far it is. */
const NOTE_MS = 15_000

export function addSwarm(program: Command): void {
  const cores = availableParallelism()
  const command = program
    .command("swarm")
    .description("Runs many seeds, each with a size, faults and a workload of its own.")
    .addOption(
      new Option("--seeds <a..b>", "these seeds (default: fresh ones from a random start)")
        .argParser(seedRange)
        .conflicts("runs"),
    )
    .option("--runs <n>", `how many fresh seeds (default: ${RUNS})`, whole(1, SEED_MAX))
    .option("--jobs <n>", "processes", whole(1, 256), cores)
    .option("--minutes <n>", "start no run after so long", number(0, 100_000))
    .option("--failures-max <n>", "stop after so many violations", whole(1, SEED_MAX), 10)
  withSize(command, undefined)
    .option(
      "--scoreboard [file]",
      "show how often each fault fired (and write it, as Markdown)",
      false,
    )
    .option("--json", "one JSON object per run on stdout", false)
    .action(async (given: Arguments) => {
      process.exitCode = await swarm(given)
    })
}

async function swarm(asked: Arguments): Promise<number> {
  const { given, catalogue } = await choose(asked)
  if (typeof given.scoreboard === "string") checkOutput(given.scoreboard)
  const [from, to] = rangeOf(given)
  const startMs = performance.now()
  const endMs = startMs + (given.minutes ?? Infinity) * 60_000
  const scoreboard = new Scoreboard(catalogue.faults)
  const totals = new Totals(to - from + 1, given)
  const enough = new AbortController()
  function* options(): Generator<SimOptions> {
    for (let seed = from; seed <= to && performance.now() < endMs; seed++) {
      yield optionsOf(given, drawnOptions(seed))
    }
  }
  if (!given.json) process.stdout.write(`seeds ${from}..${to}, ${given.jobs} at a time\n`)
  totals.start()
  const dead = await runSwarm({
    runs: options(),
    jobs: given.jobs,
    catalogue: given.with,
    signal: AbortSignal.any([interruption.signal, enough.signal]),
    onRun(summary) {
      scoreboard.add(summary)
      totals.add(summary)
      if (totals.failures >= given.failuresMax) enough.abort()
    },
  }).catch((error: unknown) => {
    if (error instanceof SwarmError) return error
    throw error
  })
  totals.stop(performance.now() - startMs)
  if (given.scoreboard !== false && !given.json) process.stdout.write(`\n${scoreboard.toText()}\n`)
  if (typeof given.scoreboard === "string") writeOutput(given.scoreboard, scoreboard.toMarkdown())
  if (dead !== undefined) {
    const replay = replayCommand(dead.options, { with: given.with })
    process.stdout.write(`${dead.message}\n  ${replay}\n`)
    return exitCodes.broken
  }
  if (totals.failures > 0) return exitCodes.broken
  return interruption.signal.aborted ? exitCodes.interrupted : exitCodes.kept
}

function rangeOf({ seeds, runs, minutes }: Arguments): readonly [number, number] {
  if (seeds !== undefined) return seeds
  const count = runs ?? (minutes === undefined ? RUNS : SEED_MAX)
  const from = Math.floor(Math.random() * Math.max(1, SEED_MAX - Math.min(count, SEED_MAX / 2)))
  return [from, Math.min(SEED_MAX, from + count - 1)]
}

/** Counts runs, says how far it is, and shows each violation as it comes. */
class Totals {
  failures = 0
  readonly #total: number
  readonly #json: boolean
  readonly #with: string | undefined
  readonly #bar: SingleBar | undefined
  #notedMs = performance.now()
  #runs = 0
  #virtualMs = 0
  #realMs = 0
  #writes = 0
  #rssBytesMax = 0

  constructor(total: number, given: Arguments) {
    this.#total = total
    this.#json = given.json
    this.#with = given.with
    const format = "{bar} {value}/{total} runs, {failures} violations, {eta_formatted} left"
    if (process.stderr.isTTY) this.#bar = new SingleBar({ format, hideCursor: true })
  }

  start(): void {
    this.#bar?.start(this.#total, 0, { failures: 0 })
  }

  add(summary: RunSummary): void {
    this.#runs += 1
    this.#virtualMs += summary.virtualMs
    this.#realMs += summary.realMs
    this.#writes += summary.writes
    this.#rssBytesMax = Math.max(this.#rssBytesMax, summary.rssBytes)
    if (summary.failure !== undefined) this.failures += 1
    if (this.#json) this.#writeJson(summary)
    else if (summary.failure !== undefined) this.#showFailure(summary, summary.failure)
    this.#bar?.update(this.#runs, { failures: this.failures })
    if (this.#bar === undefined && performance.now() - this.#notedMs > NOTE_MS) this.#note()
  }

  #writeJson(summary: RunSummary): void {
    const replay = replayCommand(summary.options, { with: this.#with })
    process.stdout.write(`${JSON.stringify({ ...summary, replay })}\n`)
  }

  #showFailure({ options }: RunSummary, failure: Failure): void {
    const { invariant, message, atMs, lastEvents } = failure
    if (this.#bar !== undefined) process.stderr.write("\r\x1b[K")
    const lines = [
      "",
      `seed ${options.seed}: ${showLastEvents(lastEvents).join("\n")}`,
      `VIOLATION of ${invariant} at ${atMs.toFixed(3)} ms, seed ${options.seed}: ${message}`,
      `  ${replayCommand(options, { with: this.#with })}`,
    ]
    process.stdout.write(`${lines.join("\n")}\n`)
  }

  #note(): void {
    this.#notedMs = performance.now()
    const runs = `${this.#runs} of ${this.#total} runs`
    process.stderr.write(`${runs}, ${this.failures} violations\n`)
  }

  stop(tookMs: number): void {
    this.#bar?.stop()
    if (this.#json) return
    const speed = this.#virtualMs / Math.max(1, this.#realMs)
    process.stdout.write(
      `${this.#runs} runs, ${this.failures} violations; ${this.#writes} writes in` +
        ` ${(this.#virtualMs / 3_600_000).toFixed(1)} virtual hours, ` +
        `${(tookMs / 60_000).toFixed(1)} minutes, ${speed.toFixed(0)} × real time per process,` +
        ` at most ${Math.round(this.#rssBytesMax / 1e6)} MB each\n`,
    )
  }
}
