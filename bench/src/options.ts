/**
 * The command line: which scenarios and servers, how often, how long. Unknown names and senseless
 * numbers are refused here, with the list of what there is.
 */
import { tmpdir } from "node:os"
import { Command, InvalidArgumentError } from "commander"
import { wholeNumber } from "./flags.ts"
import type { Scale, Scenario } from "./scenarios/scenario.ts"
import { isServerName, serverNames } from "./servers/catalog.ts"
import type { ServerName } from "./servers/catalog.ts"

export type Options = {
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly ServerName[]
  readonly rounds: number
  readonly scale: Scale
  readonly quick: boolean
  readonly list: boolean
  readonly folder: string
  readonly json: string | undefined
}

const fullScale: Scale = {
  seconds: 8,
  warmupSeconds: 2,
  deferredSeconds: 3,
  settleSeconds: 10,
  idleDocuments: 3000,
  ackWrites: 500,
  storedDocuments: 100_000,
  kills: 20,
}

const quickScale: Scale = {
  seconds: 2,
  warmupSeconds: 0.5,
  deferredSeconds: 0,
  settleSeconds: 2,
  idleDocuments: 300,
  ackWrites: 100,
  storedDocuments: 1000,
  kills: 3,
}

/** Of rounds and of seconds alike. */
const countMax = 100

type Flags = {
  scenario: string[]
  server: ServerName[]
  rounds?: number
  seconds?: number
  quick: boolean
  list: boolean
  folder: string
  json?: string
}

/** Reads the arguments after the program's name; exits on --help and on bad arguments. */
export function parseOptions(args: readonly string[], known: readonly Scenario[]): Options {
  const chosen = (name: string, before: string[]): string[] => {
    if (matching(known, name).length > 0) return [...before, name]
    throw new InvalidArgumentError(`There is: ${known.map((one) => one.name).join(", ")}.`)
  }
  const flags = new Command("bench")
    .description("Causeway side by side with its peers, from outside the process.")
    .option(
      "--scenario <name>",
      "only this one, or all that begin with it (repeatable)",
      chosen,
      [],
    )
    .option("--server <name>", "only this one (repeatable)", chosenServer, [])
    .option("--rounds <count>", "interleaved rounds (default 3)", wholeNumber(countMax))
    .option(
      "--seconds <count>",
      "measured seconds per round of load (default 8)",
      wholeNumber(countMax),
    )
    .option("--quick", "one short round of everything, to see that it works", false)
    .option(
      "--folder <path>",
      "where servers store their data: the disk that is measured",
      tmpdir(),
    )
    .option("--json <file>", "write every run there as JSON")
    .option("--list", "list scenarios and servers", false)
    .parse([...args], { from: "user" })
    .opts<Flags>()
  const { quick, list, folder } = flags
  const base = quick ? quickScale : fullScale
  const scenarios = known.filter(
    ({ name }) =>
      flags.scenario.length === 0 || flags.scenario.some((wanted) => isMatch(name, wanted)),
  )
  return {
    scenarios,
    servers: serverNames.filter((name) => flags.server.length === 0 || flags.server.includes(name)),
    rounds: flags.rounds ?? (quick ? 1 : 3),
    scale: { ...base, seconds: flags.seconds ?? base.seconds },
    quick,
    list,
    folder,
    json: flags.json,
  }
}

function isMatch(name: string, wanted: string): boolean {
  return name === wanted || name.startsWith(`${wanted}-`)
}

function matching(known: readonly Scenario[], wanted: string): readonly Scenario[] {
  return known.filter(({ name }) => isMatch(name, wanted))
}

function chosenServer(name: string, before: ServerName[]): ServerName[] {
  if (isServerName(name)) return [...before, name]
  throw new InvalidArgumentError(`There is: ${serverNames.join(", ")}.`)
}
