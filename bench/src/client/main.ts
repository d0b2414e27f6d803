/**
 * `npm run bench:sdk`: what the SDK costs an app, in Node, with its storage on a real disk and a
 * real node. Each round is a process of its own. Exit code 1 when something turned out wrong.
 * Invariant: no process and no data outlives this one.
 */
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { rmSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { Command } from "commander"
import { oneOf, wholeNumber } from "../flags.ts"
import { measureInRounds } from "../measure/rounds.ts"
import type { Measurement, RoundFlags, Run } from "../measure/rounds.ts"
import { measurements } from "./measurements.ts"
import type { ClientScale } from "./scale.ts"

/** Exit code of a program ended by SIGINT. */
const interrupted = 130
const roundsMax = 100

/** "full" or "quick": what a round's process is told. */
type Size = "full" | "quick"

const children = new Set<ChildProcess>()

function parse(args: readonly string[]): RoundFlags {
  const names = measurements.map(({ name }) => name)
  return new Command("bench:sdk")
    .description("What the SDK costs an app: typing, opening, and coming back after a week.")
    .option("--measure <name>", `only this one (repeatable): ${names.join(", ")}`, oneOf(names), [])
    .option("--rounds <count>", "rounds of each", wholeNumber(roundsMax), 3)
    .option("--quick", "small sizes, to see that it works", false)
    .option("--folder <path>", "where data is stored: the disk is measured too", tmpdir())
    .option("--json <file>", "write every run there as JSON")
    .parse([...args], { from: "user" })
    .opts<RoundFlags>()
}

/** The measurement in a process of its own. */
function apart({ name, title, columns }: Measurement<ClientScale>): Measurement<Size> {
  const program = fileURLToPath(new URL("round.ts", import.meta.url))
  const run: Measurement<Size>["run"] = async ({ folder, scale }) => {
    const child = spawn(process.execPath, [program, name, folder, scale], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    children.add(child)
    try {
      const [said] = await Promise.all([text(child.stdout), once(child, "exit")])
      if (child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}`)
      // cast: the last line is what round.ts writes, which is typed there.
      return JSON.parse(said.trim().split("\n").at(-1) ?? "") as Run
    } finally {
      children.delete(child)
    }
  }
  return { name, title, columns, run }
}

async function main(): Promise<number> {
  const flags = parse(process.argv.slice(2))
  const { quick, folder } = flags
  const root = await mkdtemp(join(folder, "causeway-sdk-"))
  process.on("exit", () => {
    for (const child of children) child.kill()
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  })
  const scale = quick ? "quick" : "full"
  return measureInRounds({ measurements: measurements.map(apart), flags, scale, root })
}

process.on("SIGINT", () => process.exit(interrupted))
process.on("SIGTERM", () => process.exit(interrupted))
process.exitCode = await main()
