/**
 * `npm run sim`: the simulator's shell. The only place of the simulator that knows the real
 * clock, the process and its arguments. Exit code: 0 all promises kept, 1 one was broken.
 */
import { Command, InvalidArgumentError } from "commander"
import { allFaults } from "./faults/index.ts"
import { sizeMax } from "./options.ts"
import type { SimOptions } from "./options.ts"
import { showEnd, showLine, showStart, toJson } from "./report.ts"
import type { Timed } from "./report.ts"
import { startRun } from "./run.ts"
import { allWorkloads } from "./workloads/index.ts"

type Arguments = {
  readonly seed?: number
  readonly seeds?: readonly [number, number]
  readonly nodes: number
  readonly clients: number
  readonly stockClients: number
  readonly seconds: number
  readonly writesPerSecond: number
  readonly faults?: readonly string[]
  readonly workload?: string
  readonly checkDeterminism: boolean
  readonly json: boolean
}

/** Seeds fit 30 bits, so that any tool can pass them on. */
const SEED_MAX = 2 ** 30 - 1
/** Virtual time between two looks at the real world. */
const SLICE_MS = 1000
const PROGRESS_MS = 250

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text !== "" && Number.isFinite(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`a number from ${min} to ${max} is wanted`)
  }
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = number(min, max)(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError("a whole number is wanted")
  }
}

function seedRange(text: string): [number, number] {
  const [from, to] = text.split("..").map(whole(0, SEED_MAX))
  if (from !== undefined && to !== undefined && from <= to) return [from, to]
  throw new InvalidArgumentError("A..B is wanted")
}

function faultNames(text: string): string[] {
  if (text === "none") return []
  if (text === "all") return allFaults.map(({ name }) => name)
  const names = text.split(",")
  const unknown = names.find((choice) => {
    const [name, seconds] = choice.split(":")
    const isRate = seconds === undefined || Number(seconds) > 0
    return !isRate || !allFaults.some((fault) => fault.name === name)
  })
  if (unknown === undefined) return names
  throw new InvalidArgumentError(`no fault is called ${unknown}`)
}

function workloadName(name: string): string {
  if (allWorkloads.some((workload) => workload.name === name)) return name
  throw new InvalidArgumentError(`no workload is called ${name}`)
}

function readArguments(argv: readonly string[]): Arguments {
  const faults = allFaults.map(({ name, explain }) => `  ${name.padEnd(16)}${explain}`)
  return new Command("sim")
    .description("Runs a whole Causeway cluster on virtual time, breaks things, checks promises.")
    .option("--seed <n>", "replay this seed (default: a random one)", whole(0, SEED_MAX))
    .option("--seeds <a..b>", "run all of these, one line each", seedRange)
    .option("--nodes <n>", "nodes, each linked with all others", whole(1, sizeMax.nodes), 3)
    .option("--clients <n>", "native clients", whole(0, sizeMax.clients), 6)
    .option("--stock-clients <n>", "y-websocket clients", whole(0, sizeMax.clients), 2)
    .option("--seconds <n>", "virtual seconds with faults", number(0, sizeMax.seconds), 60)
    .option("--writes-per-second <n>", "over all clients", number(0, 10_000), 10)
    .option("--faults <names>", "a,b,c, all or none (default: the seed draws)", faultNames)
    .option("--workload <name>", "one of those below (default: the seed draws)", workloadName)
    .option("--check-determinism", "run twice and compare the traces", false)
    .option("--json", "one JSON object per run on stdout", false)
    .addHelpText("after", `\nFaults:\n${faults.join("\n")}`)
    .parse(argv)
    .opts<Arguments>()
}

let interrupted = false
process.on("SIGINT", () => {
  interrupted = true
})

/** Undefined if the user had enough. */
async function runOnce(options: SimOptions, quiet: boolean): Promise<Timed | undefined> {
  const run = startRun(options)
  const startMs = performance.now()
  let shownMs = startMs
  for (;;) {
    const report = run.advance(SLICE_MS)
    const nowMs = performance.now()
    if (report !== undefined) {
      if (!quiet) clearProgress()
      return { report, realMs: nowMs - startMs }
    }
    if (nowMs - shownMs < PROGRESS_MS) continue
    shownMs = nowMs
    if (!quiet) showProgress(run.nowMs, run.totalMs)
    // A turn of the event loop, so that Ctrl-C is heard.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (interrupted) return undefined
  }
}

function showProgress(nowMs: number, totalMs: number): void {
  if (!process.stderr.isTTY) return
  const percent = Math.floor((100 * nowMs) / Math.max(1, totalMs))
  process.stderr.write(`\r${percent} %  ${(nowMs / 1000).toFixed(0)} virtual seconds`)
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")
}

/** Runs one seed and prints what there is to print. Gives false if a promise was broken. */
async function runSeed(options: SimOptions, given: Arguments, many: boolean): Promise<boolean> {
  const brief = many || given.json
  if (!brief) process.stdout.write(`${showStart(options, startRun(options).profile)}\n`)
  const timed = await runOnce(options, brief)
  if (timed === undefined) return true
  const kept = timed.report.failure === undefined
  if (given.json) process.stdout.write(`${toJson(timed)}\n`)
  else process.stdout.write(`${many && kept ? showLine(timed) : showEnd(timed)}\n`)
  return given.checkDeterminism ? (await repeats(options, timed)) && kept : kept
}

async function main(): Promise<number> {
  const given = readArguments(process.argv)
  const drawn = Math.floor(Math.random() * SEED_MAX)
  const [first, last] = given.seeds ?? [given.seed ?? drawn, given.seed ?? drawn]
  const many = last > first
  const { nodes, clients, stockClients, seconds, writesPerSecond, faults, workload } = given
  let failures = 0
  let seed = first
  for (; seed <= last && !interrupted; seed++) {
    const size = { nodes, clients, stockClients, seconds, writesPerSecond }
    const options = { seed, ...size, faults, workload }
    if (!(await runSeed(options, given, many))) failures += 1
  }
  if (interrupted) process.stderr.write("interrupted\n")
  const runs = `${seed - first} runs, ${failures} failures\n`
  if (many && !given.json) process.stdout.write(runs)
  return failures > 0 || interrupted ? 1 : 0
}

async function repeats(options: SimOptions, first: Timed): Promise<boolean> {
  const second = await runOnce(options, true)
  if (second === undefined) return true
  const same = second.report.hash === first.report.hash
  const verdict = same ? "the same trace twice" : `VIOLATION of determinism: ${second.report.hash}`
  process.stderr.write(`seed ${options.seed}: ${verdict}\n`)
  return same
}

process.exitCode = await main()
