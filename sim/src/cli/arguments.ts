/** What the commands share: how arguments are read and checked, and the options of a run. */
import { readFileSync } from "node:fs"
import { InvalidArgumentError, Option } from "commander"
import type { Command } from "commander"
import type { Catalogue } from "../catalogue.ts"
import { SEED_MAX, sizeMax } from "../options.ts"
import type { SimOptions } from "../options.ts"
import { loadCatalogue } from "../swarm/load-catalogue.ts"

/** Exit codes of every command. `refused`: the arguments make no sense. */
export const exitCodes = { kept: 0, broken: 1, refused: 2, interrupted: 130 } as const

export type SizeArguments = {
  readonly nodes?: number
  readonly clients?: number
  readonly browsers?: number
  readonly tokens?: boolean
  readonly stockClients?: number
  readonly seconds: number
  readonly writesPerSecond?: number
  readonly faults?: readonly string[]
  readonly workload?: string
  readonly with?: string
}

export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text !== "" && Number.isFinite(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`a number from ${min} to ${max} is wanted`)
  }
}

export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = number(min, max)(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError("a whole number is wanted")
  }
}

export const seed: (text: string) => number = whole(0, SEED_MAX)

export function seedRange(text: string): [number, number] {
  const [from, to] = text.split("..").map(seed)
  if (from !== undefined && to !== undefined && from <= to) return [from, to]
  throw new InvalidArgumentError("A..B is wanted")
}

/** Names of a list, separated by commas, each of which must be known. */
export function names(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const wanted = text.split(",")
    const unknown = wanted.find((name) => !known.includes(name))
    if (unknown === undefined) return wanted
    throw new InvalidArgumentError(`there is no ${unknown}; there are: ${known.join(", ")}`)
  }
}

/** A run that was written down, and where. */
export type Replay = { readonly path: string; readonly options: SimOptions }

/** Options as `sim shrink` writes them. */
function readOptions(path: string): Replay {
  let options: unknown
  try {
    options = JSON.parse(readFileSync(path, "utf8"))
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "unreadable")
  }
  if (isOptions(options)) return { path, options }
  throw new InvalidArgumentError("these are not the options of a run, as `sim shrink` writes them")
}

function isOptions(options: unknown): options is SimOptions {
  if (typeof options !== "object" || options === null) return false
  const numbers = ["seed", "nodes", "clients", "stockClients", "seconds", "writesPerSecond"]
  const schedule: unknown = Reflect.get(options, "schedule")
  return (
    numbers.every((name) => Number.isFinite(Reflect.get(options, name))) &&
    (schedule === undefined || Array.isArray(schedule))
  )
}

/** `--replay <file>`. What was written down says all of a run but for the code of its catalogue. */
export function replayOption(description: string): Option {
  return new Option("--replay <file>", `${description}, and nothing else`)
    .argParser(readOptions)
    .conflicts([
      "seed",
      "nodes",
      "clients",
      "browsers",
      "tokens",
      "stockClients",
      "seconds",
      "writesPerSecond",
      "faults",
      "workload",
    ])
}

/** Adds the options that say how big a run is and what happens in it. */
export function withSize(command: Command, fallback: SimOptions | undefined): Command {
  const { clients, seconds } = sizeMax
  const left = (
    name: "nodes" | "clients" | "browsers" | "stockClients" | "writesPerSecond",
  ): string => `(default: ${fallback === undefined ? "drawn by the seed" : (fallback[name] ?? 0)})`
  const drawnOr = (plain: string): string => (fallback === undefined ? "drawn by the seed" : plain)
  return command
    .option(
      "--nodes <n>",
      `nodes, each linked with all others ${left("nodes")}`,
      whole(1, sizeMax.nodes),
    )
    .option("--clients <n>", `native clients ${left("clients")}`, whole(0, clients))
    .option("--browsers <n>", `so many of them have tabs ${left("browsers")}`, whole(0, clients))
    .option("--tokens", `nodes check tokens (default: ${drawnOr("no")})`)
    .option("--stock-clients <n>", `y-websocket clients ${left("stockClients")}`, whole(0, clients))
    .option("--seconds <n>", "virtual seconds with faults", number(0, seconds), 60)
    .option(
      "--writes-per-second <n>",
      `over all clients ${left("writesPerSecond")}`,
      number(0, 10_000),
    )
    .option("--faults <names>", "a,b:5,c, all or none; b:5 is every 5 s (default: drawn)", (text) =>
      text.split(","),
    )
    .option("--workload <name>", "what clients do (default: drawn)")
    .option(
      "--with <file>",
      "a module that exports a `catalogue` with your own (docs/simulator.md)",
    )
}

/** What was asked for, `fallback` for what was left out. */
export function optionsOf(given: SizeArguments, fallback: SimOptions): SimOptions {
  return {
    ...fallback,
    nodes: given.nodes ?? fallback.nodes,
    clients: given.clients ?? fallback.clients,
    browsers: given.browsers ?? fallback.browsers,
    tokens: given.tokens ?? fallback.tokens,
    stockClients: given.stockClients ?? fallback.stockClients,
    seconds: given.seconds,
    writesPerSecond: given.writesPerSecond ?? fallback.writesPerSecond,
    ...(given.faults === undefined ? {} : { faults: given.faults }),
    ...(given.workload === undefined ? {} : { workload: given.workload }),
  }
}

/**
 * The catalogue that was asked for, and the arguments with names that are in it.
 * @throws InvalidArgumentError in words for the user
 */
export async function choose<Given extends SizeArguments>(
  given: Given,
): Promise<{ readonly given: Given; readonly catalogue: Catalogue }> {
  const catalogue = await loadCatalogue(given.with).catch((error: unknown) => {
    throw new InvalidArgumentError(error instanceof Error ? error.message : "no catalogue")
  })
  const faults = faultChoices(given.faults, catalogue)
  const known = catalogue.workloads.map(({ name }) => name)
  if (given.workload !== undefined) names(known)(given.workload)
  return { given: faults === undefined ? given : { ...given, faults }, catalogue }
}

function faultChoices(
  choices: readonly string[] | undefined,
  { faults }: Catalogue,
): readonly string[] | undefined {
  if (choices === undefined) return undefined
  if (choices.join() === "none") return []
  if (choices.join() === "all") return faults.map(({ name }) => name)
  for (const choice of choices) {
    const [name, seconds] = choice.split(":")
    if (!faults.some((fault) => fault.name === name)) {
      throw new InvalidArgumentError(`no fault is called ${name}; "sim faults" lists them`)
    }
    if (seconds !== undefined && !(Number(seconds) > 0)) {
      throw new InvalidArgumentError(`${choice}: seconds above 0 are wanted after the colon`)
    }
  }
  return choices
}
