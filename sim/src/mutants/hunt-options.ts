/** What a hunt runs: the options of every seed but the seed itself, as plain data. */
import type { SimOptions } from "../options.ts"

export type HuntOptions = Omit<SimOptions, "seed"> & {
  /** Runs each seed twice: the traces must be the same. */
  readonly twice: boolean
}

/** What a parent asks its child to run, as JSON on the command line. */
export type Hunt = {
  readonly options: HuntOptions
  readonly fromSeed: number
  readonly toSeed: number
  /** Go on after a catch. */
  readonly all: boolean
}

export type Catch = {
  readonly type: "caught"
  readonly seed: number
  readonly invariant: string
  readonly message: string
}

/** What the child says, a JSON line each. */
export type HuntLine =
  /** Everything could be loaded. */
  { readonly type: "ready" } | { readonly type: "clean"; readonly seed: number } | Catch

type Words = Readonly<Record<string, string | boolean | undefined>>

/** Small runs with few nodes: many seeds find more than long ones. */
export function optionsOf(words: Words): HuntOptions {
  const number = (key: string, otherwise: number): number => {
    const value = Number(words[key] ?? otherwise)
    if (Number.isFinite(value) && value >= 0) return value
    throw new Error(`${key}: not a number`)
  }
  const text = (key: string): string | undefined => {
    const word = words[key]
    return typeof word === "string" ? word : undefined
  }
  const faults = text("faults")
  const workload = text("workload")
  return {
    nodes: number("nodes", 3),
    clients: number("clients", 4),
    browsers: number("browsers", 0),
    stockClients: number("stock-clients", 1),
    seconds: number("seconds", 12),
    writesPerSecond: number("writes-per-second", 8),
    tokens: words["tokens"] === true,
    twice: words["twice"] === true,
    ...(faults === undefined ? {} : { faults: faults === "none" ? [] : faults.split(",") }),
    ...(workload === undefined ? {} : { workload }),
  }
}
