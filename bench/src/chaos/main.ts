/**
 * `npm run chaos`: prints the schedule, plays it, prints the report. Ctrl-C heals, stops and
 * removes everything and then ends; a second one does so at once. Whatever is left if this
 * process dies is undone by the janitor.
 */
import { writeFileSync } from "node:fs"
import { Estate } from "./estate.ts"
import { needOf, tell } from "./faults.ts"
import type { Need } from "./faults.ts"
import { faultTypes } from "./faults.ts"
import { lookAround } from "./machine.ts"
import type { Machine } from "./machine.ts"
import { parseOptions } from "./options.ts"
import type { Options } from "./options.ts"
import { Random } from "./random.ts"
import { jsonOf, reportOf } from "./report.ts"
import { run } from "./run.ts"
import { nodeNames, planRounds } from "./schedule.ts"
import type { Round } from "./schedule.ts"
import { CannotRun } from "./violation.ts"

const cannotRun = 2
const interrupted = 130
/** A terminal and npm may both pass the same Ctrl-C on. */
const sameSignalMs = 500
/** Heals and checks included, a round ends in so much more than its faults last. */
const roundMsMax = 240_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)

function planOf(
  options: Options,
  { toxiproxy, tmpfs }: Machine,
): {
  names: readonly string[]
  smallDisk: string
  rounds: readonly Round[]
} {
  const { seed, minutes, profile, count } = options
  const names = nodeNames.slice(0, options.nodes)
  const smallDisk = new Random(seed).split("small disk").pick(names)
  const has = new Set<Need>()
  if (toxiproxy !== undefined) has.add("toxiproxy")
  if (tmpfs) has.add("tmpfs")
  const rounds = planRounds({ seed, nodes: names, minutes, profile, count, has, smallDisk })
  return { names, smallDisk, rounds }
}

function printPlan(rounds: readonly Round[]): void {
  for (const [index, { lastsMs, steps }] of rounds.entries()) {
    say(`round ${index + 1}, ${(lastsMs / 1000).toFixed(1)} s`)
    for (const { atMs, lastsMs: forMs, fault } of steps) {
      const [at, span] = [atMs, forMs].map((ms) => (ms / 1000).toFixed(1).padStart(5))
      say(`  ${at} s, for ${span} s: ${tell(fault)}`)
    }
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  const { seed, profile, writesPerSecond, store, folder, json } = options
  if (options.plan) {
    const everything = { toxiproxy: "", tmpfs: true, namespaces: true, missing: [] }
    printPlan(planOf(options, everything).rounds)
    return 0
  }
  const machine = lookAround({ build: true })
  const { missing: skipped } = machine
  for (const reason of skipped) say(`!!! SKIPPED: ${reason}`)
  if (options.required && skipped.length > 0) {
    process.stderr.write("chaos: all faults are required here, and some cannot be made\n")
    return cannotRun
  }
  const { names, smallDisk, rounds } = planOf(options, machine)
  const left = faultTypes.filter((type) => needOf(type) === "toxiproxy")
  if (machine.toxiproxy === undefined) say(`without them: ${left.join(", ")}`)
  const header = { seed, nodes: options.nodes, profile, skipped }
  say(`npm run chaos -- ${commandOf(options)}`)
  printPlan(rounds)
  const deadlineMs = rounds.reduce((sum, { lastsMs }) => sum + lastsMs + roundMsMax, roundMsMax)
  const estate = new Estate(deadlineMs)
  process.on("exit", () => estate.undoAll())
  const { signal } = stopOnSignals(estate)
  const load = { seed, names, profile, writesPerSecond, rounds, smallDisk, store }
  const wishes = { ...load, keep: options.keep, parent: folder }
  try {
    const result = await run({ ...wishes, machine, estate, say, signal })
    say(`\n${reportOf(header, result)}`)
    if (json !== undefined) writeFileSync(json, jsonOf(header, result))
    if (result.violations.length > 0) return 1
    return signal.aborted ? interrupted : 0
  } finally {
    await estate.close()
  }
}

function commandOf(options: Options): string {
  const { seed, minutes, nodes, profile, count, writesPerSecond, store } = options
  const size = profile === "all" ? `--minutes ${minutes}` : `--profile ${profile} --count ${count}`
  const load = `--nodes ${nodes} --writes-per-second ${writesPerSecond} --store ${store}`
  return `--seed ${seed} ${size} ${load}`
}

function stopOnSignals(estate: Estate): AbortController {
  const stop = new AbortController()
  let signalledMs = -Infinity
  const onSignal = () => {
    if (performance.now() - signalledMs < sameSignalMs) return
    if (stop.signal.aborted) {
      estate.undoAll()
      process.exit(interrupted)
    }
    signalledMs = performance.now()
    say("stopping: everything heals and ends")
    stop.abort(new Error("interrupted"))
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal)
  return stop
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof CannotRun) {
    process.stderr.write(`chaos: ${error.message}\n`)
    process.exit(cannotRun)
  }
  process.stderr.write(`chaos: ${error instanceof Error ? (error.stack ?? "") : String(error)}\n`)
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause)
  process.exitCode = 1
}
