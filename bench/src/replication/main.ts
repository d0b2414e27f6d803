/**
 * `npm run bench:replication`: what replication between Causeway nodes costs and how fast it heals,
 * on three real processes. Figures are the median over the rounds with the smallest and the
 * largest. Exit code 1 when nodes did not come out the same. Invariant: no process and no data
 * outlives this one.
 */
import { rmSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Command } from "commander"
import { findToxiproxy } from "../chaos/machine.ts"
import { oneOf, wholeNumber } from "../flags.ts"
import { measureInRounds } from "../measure/rounds.ts"
import type { Measurement, RoundFlags } from "../measure/rounds.ts"
import { killAllServers } from "../servers/server-process.ts"
import { heal } from "./heal.ts"
import { idle } from "./idle.ts"
import { join as joinNode } from "./join.ts"
import { live } from "./live.ts"
import type { ReplicationScale } from "./scale.ts"
import { killAllToxiproxies } from "./toxiproxy.ts"

/** Exit code of a program ended by SIGINT. */
const interrupted = 130
const roundsMax = 100

const measurements: readonly Measurement<ReplicationScale>[] = [heal, live, idle, joinNode]

const fullScale: ReplicationScale = {
  documents: 1000,
  updatesPerSide: 100_000,
  updatesPerSecond: 2000,
  liveSeconds: 10,
  idleDocuments: 100_000,
  idleSeconds: 120,
  joinDocuments: 100_000,
}

const quickScale: ReplicationScale = {
  documents: 100,
  updatesPerSide: 2000,
  updatesPerSecond: 500,
  liveSeconds: 2,
  idleDocuments: 1000,
  idleSeconds: 2,
  joinDocuments: 1000,
}

type Flags = RoundFlags & { readonly rate?: number; readonly documents?: number }

function parse(args: readonly string[]): Flags {
  const names = measurements.map(({ name }) => name)
  return new Command("bench:replication")
    .description("What replication between three Causeway nodes costs, and how fast it heals.")
    .option("--measure <name>", `only this one (repeatable): ${names.join(", ")}`, oneOf(names), [])
    .option("--rounds <count>", "rounds of each", wholeNumber(roundsMax), 3)
    .option("--rate <count>", "updates per second of live push (2000)", wholeNumber(100_000))
    .option(
      "--documents <count>",
      "documents of the idle cluster, and of join",
      wholeNumber(10_000_000),
    )
    .option("--quick", "small sizes, to see that it works", false)
    .option("--folder <path>", "where nodes store their data: the disk is measured too", tmpdir())
    .option("--json <file>", "write every run there as JSON")
    .parse([...args], { from: "user" })
    .opts<Flags>()
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

async function main(): Promise<number> {
  const flags = parse(process.argv.slice(2))
  const { rate, documents, quick, folder } = flags
  if (findToxiproxy() === undefined) {
    say("Toxiproxy is not there: put toxiproxy-server on the path, or name it in")
    say("CAUSEWAY_TOXIPROXY (go install github.com/Shopify/toxiproxy/v2/cmd/server@latest)")
    return 1
  }
  const base = quick ? quickScale : fullScale
  const updatesPerSecond = rate ?? base.updatesPerSecond
  const scale = {
    ...base,
    updatesPerSecond,
    idleDocuments: documents ?? base.idleDocuments,
    joinDocuments: documents ?? base.joinDocuments,
  }
  const root = await mkdtemp(join(folder, "causeway-replication-"))
  process.on("exit", () => {
    killAllServers()
    killAllToxiproxies()
    rmSync(root, { recursive: true, force: true, maxRetries: 3 })
  })
  return measureInRounds({ measurements, flags, scale, root })
}

process.on("SIGINT", () => process.exit(interrupted))
process.on("SIGTERM", () => process.exit(interrupted))
process.exitCode = await main()
