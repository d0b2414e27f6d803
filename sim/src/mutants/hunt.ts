/**
 * The child of a hunt: runs inside a scratch copy, seed after seed until one breaks a promise,
 * and prints a JSON line for each. It ends when its parent does.
 */
import { allFaults } from "../faults/index.ts"
import { startRun } from "../run.ts"
import type { Hunt, HuntLine } from "./hunt-options.ts"

const SLICE_MS = 5000

function say(line: HuntLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function runSeed({ options }: Hunt, seed: number): Promise<HuntLine> {
  const startMs = performance.now()
  const run = startRun({ ...options, seed })
  for (;;) {
    const report = run.advance(SLICE_MS)
    // A turn of the event loop, so that the end of the parent is heard.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (report === undefined) continue
    const ms = performance.now() - startMs
    if (report.failure === undefined) return { type: "clean", seed, ms }
    const { invariant, message } = report.failure
    return { type: "caught", seed, invariant, message, ms }
  }
}

async function main(hunt: Hunt): Promise<void> {
  const unknown = hunt.options.faults?.find((name) => !allFaults.some((one) => one.name === name))
  if (unknown !== undefined) throw new Error(`no fault is called ${unknown}`)
  say({ type: "ready" })
  for (let seed = hunt.fromSeed; seed <= hunt.toSeed; seed++) {
    const line = await runSeed(hunt, seed)
    say(line)
    if (line.type === "caught") return
  }
}

process.stdin.on("end", () => process.exit(1)).resume()
// cast: the parent, this file's twin, wrote it.
await main(JSON.parse(process.argv[2] ?? "") as Hunt)
process.exit(0)
