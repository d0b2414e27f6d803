/** The command line of `npm run chaos`; what makes no sense is refused here, with what would. */
import { tmpdir } from "node:os"
import { Command, InvalidArgumentError, Option } from "commander"
import { storeWishes } from "./cluster.ts"
import type { StoreWish } from "./cluster.ts"
import { profiles } from "./schedule.ts"
import type { Profile } from "./schedule.ts"

export type Options = {
  readonly seed: number
  readonly minutes: number
  readonly nodes: number
  readonly profile: Profile
  readonly count: number
  readonly writesPerSecond: number
  readonly store: StoreWish
  readonly folder: string
  readonly json: string | undefined
  readonly keep: boolean
  readonly plan: boolean
  readonly required: boolean
}

const minutesMax = 24 * 60
const countsOf: Readonly<Record<Profile, number>> = { all: 0, kills: 200, "disk-destroyed": 20 }

type Flags = Omit<Options, "count"> & { readonly count?: number }

const about = `Real nodes, disks, sockets and clients, and faults drawn from a seed: cables cut,
slowed, sliced, reset and silenced one way; nodes killed, paused, restarted; disks full,
wiped, put back. After each round of faults all heals, and then no acked write may be lost,
none invented, and all must be equal. The schedule is the seed's; the timing is real.`

const after = `
Profiles:
  all             every fault, every kind of client
  kills           --count SIGKILLs (200) of random nodes under load at tier node; disks stay
  disk-destroyed  --count disks (20) destroyed under load at tier quorum, one at a time

Exit codes: 0 every promise was kept, 1 one was broken, 2 it cannot run like that here,
130 interrupted. docs/chaos.md says more.`

/** Reads the arguments after the program's name; exits on --help and with 2 on bad ones. */
export function parseOptions(args: readonly string[]): Options {
  const flags = new Command("chaos")
    .description(about)
    .option("--seed <n>", "of schedule and workload (random)", wholeNumber, randomSeed())
    .option("--minutes <n>", "about so long (profile all)", minutes, 2)
    .option("--nodes <n>", "3 to 5", between(3, 5), 3)
    .addOption(new Option("--profile <name>", "which faults").choices(profiles).default("all"))
    .option("--count <n>", "faults of the profiles kills and disk-destroyed", wholeNumber)
    .option("--writes-per-second <n>", "over all clients", between(1, 1000), 20)
    .addOption(new Option("--store <type>", "of the nodes").choices(storeWishes).default("sqlite"))
    .option("--folder <path>", "where nodes keep their data: a real disk", tmpdir())
    .option("--json <file>", "write the report there as JSON")
    .option("--keep", "keep logs and data, also if nothing was broken", false)
    .option("--plan", "print the schedule and end", false)
    .option(
      "--required",
      "fail where this machine lacks what a fault needs, instead of leaving it out",
      process.env["CAUSEWAY_CHAOS"] === "required",
    )
    .addHelpText("after", after)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse([...args], { from: "user" })
    .opts<Flags>()
  return { ...flags, json: flags.json, count: flags.count ?? countsOf[flags.profile] }
}

function randomSeed(): number {
  return 1 + Math.floor(Math.random() * 999_999)
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("It is a whole number from 1 on.")
}

function between(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`)
  }
}

function minutes(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= minutesMax) return value
  throw new InvalidArgumentError(`It is more than 0 and at most ${minutesMax}.`)
}
