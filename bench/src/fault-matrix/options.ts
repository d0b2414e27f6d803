/**
 * The command line of the fault matrix; unknown names are refused with the list of what there is.
 */
import { tmpdir } from "node:os"
import { Command, InvalidArgumentError } from "commander"
import { matrixCases } from "./cases.ts"
import type { MatrixCase } from "./cases.ts"
import { contenderNames, contenderOf, isContenderName } from "./contenders.ts"
import type { Contender, ContenderName } from "./contenders.ts"

export type MatrixOptions = {
  readonly cases: readonly MatrixCase[]
  readonly contenders: readonly Contender[]
  readonly times: number
  readonly atOnce: number
  readonly folder: string
  readonly json: string | undefined
  readonly list: boolean
}

const timesMax = 100
const atOnceMax = 16

type Flags = {
  case: string[]
  contender: ContenderName[]
  times: number
  atOnce: number
  folder: string
  json?: string
  list: boolean
}

/** Reads the arguments after the program's name; exits on --help and on bad arguments. */
export function parseMatrixOptions(args: readonly string[]): MatrixOptions {
  const {
    case: names,
    contender,
    ...rest
  } = new Command("fault-matrix")
    .description(
      "Who loses what: crash and partition cases against Causeway and Hocuspocus, with the same" +
        " acts of clients and the same checks. Exit code 1 if anything is found at Causeway.",
    )
    .option("--case <name>", "only this one (repeatable)", chosenCase, [])
    .option("--contender <name>", "only this one (repeatable)", chosenContender, [])
    .option("--times <count>", "runs of each case", wholeNumber(timesMax), 3)
    .option("--at-once <count>", "runs at the same time", wholeNumber(atOnceMax), 3)
    .option("--folder <path>", "where servers store their data", tmpdir())
    .option("--json <file>", "write every run there as JSON")
    .option("--list", "list cases and contenders", false)
    .parse([...args], { from: "user" })
    .opts<Flags>()
  return {
    ...rest,
    json: rest.json,
    cases: matrixCases.filter(({ name }) => names.length === 0 || names.includes(name)),
    contenders: contenderNames
      .filter((name) => contender.length === 0 || contender.includes(name))
      .map(contenderOf),
  }
}

function chosenCase(name: string, before: string[]): string[] {
  if (matrixCases.some((one) => one.name === name)) return [...before, name]
  throw new InvalidArgumentError(`There is: ${matrixCases.map((one) => one.name).join(", ")}.`)
}

function chosenContender(name: string, before: ContenderName[]): ContenderName[] {
  if (isContenderName(name)) return [...before, name]
  throw new InvalidArgumentError(`There is: ${contenderNames.join(", ")}.`)
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= 1 && value <= max) return value
    throw new InvalidArgumentError(`A whole number from 1 to ${max}.`)
  }
}
