/**
 * The child of a hunt: runs inside a scratch copy, seed after seed until one breaks a promise,
 * and prints a JSON line for each. It ends when its parent does.
 */
import { allFaults } from "../faults/index.ts"
import { startRun } from "../run.ts"
import type { RunReport } from "../run.ts"
import { allWorkloads } from "../workloads/index.ts"
import type { Hunt, HuntLine, HuntOptions } from "./hunt-options.ts"

const SLICE_MS = 5000

function say(line: HuntLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function runOnce(options: HuntOptions, seed: number): Promise<RunReport> {
  const run = startRun({ ...options, seed })
  for (;;) {
    const report = run.advance(SLICE_MS)
    // A turn of the event loop, so that the end of the parent is heard.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (report !== undefined) return report
  }
}

async function runSeed({ options }: Hunt, seed: number): Promise<HuntLine> {
  const { failure, hash } = await runOnce(options, seed)
  if (failure !== undefined) {
    const { invariant, message } = failure
    return { type: "caught", seed, invariant, message }
  }
  if (!options.twice || (await runOnce(options, seed)).hash === hash) return { type: "clean", seed }
  const message = "the same seed gave two traces"
  return { type: "caught", seed, invariant: "determinism", message }
}

/** A misspelt name would be a hunt without that fault. */
function checkNames({ options }: Hunt): void {
  for (const choice of options.faults ?? []) {
    const [name] = choice.split(":")
    if (!allFaults.some((fault) => fault.name === name)) throw new Error(`no fault ${choice}`)
  }
  const { workload } = options
  if (workload === undefined || allWorkloads.some(({ name }) => name === workload)) return
  throw new Error(`no workload ${workload}`)
}

async function main(hunt: Hunt): Promise<void> {
  checkNames(hunt)
  say({ type: "ready" })
  for (let seed = hunt.fromSeed; seed <= hunt.toSeed; seed++) {
    const line = await runSeed(hunt, seed)
    say(line)
    if (line.type === "caught" && !hunt.all) return
  }
}

process.stdin.on("end", () => process.exit(1)).resume()
// Such a signal often reaches every process of the group; the parent decides what it means.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => undefined)
// cast: the parent, this file's twin, wrote it.
await main(JSON.parse(process.argv[2] ?? "") as Hunt)
process.exit(0)
