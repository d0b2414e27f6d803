/**
 * A mutant is one planted protocol bug: a patch in `sim/mutants/` whose first lines, which
 * `git apply` skips, say what it plants, which rules of docs/ that breaks, and who must notice:
 * invariants of the simulator, under options where it is likely to matter, or a test file.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { optionsOf } from "./hunt-options.ts"
import type { HuntOptions } from "./hunt-options.ts"

export type Mutant = {
  readonly name: string
  readonly file: string
  /** What is wrong, in one sentence. */
  readonly bug: string
  /** Rules of docs/, `K9`, that it breaks. */
  readonly breaks: readonly string[]
  readonly judge: Judge
  /** The files it changes, relative to the repository. */
  readonly paths: readonly string[]
}

/** Who must notice. */
export type Judge = Simulated | Tested

export type Simulated = {
  readonly type: "simulator"
  /** Invariants that may catch it. */
  readonly caughtBy: readonly string[]
  readonly options: HuntOptions
}

export type Tested = {
  readonly type: "test"
  /** Relative to the repository. */
  readonly file: string
  /** What the names of the tests to run contain; undefined: all of the file are run. */
  readonly title: string | undefined
}

/** The repository this file is in. */
export const repository: string = fileURLToPath(new URL("../../..", import.meta.url))

const fieldLine = /^(?:breaks|caught by|caught by test|run): /

const flags = {
  nodes: { type: "string" },
  clients: { type: "string" },
  browsers: { type: "string" },
  "stock-clients": { type: "string" },
  seconds: { type: "string" },
  "writes-per-second": { type: "string" },
  faults: { type: "string" },
  workload: { type: "string" },
  tokens: { type: "boolean" },
  twice: { type: "boolean" },
} as const

/** Every mutant of the repository at `root`, by name. @throws Error if a header is incomplete. */
export function listMutants(root: string = repository): Mutant[] {
  const folder = join(root, "sim/mutants")
  const files = readdirSync(folder).filter((name) => name.endsWith(".patch"))
  return files
    .sort((one, two) => (one < two ? -1 : 1))
    .map((name) => readMutant(join(folder, name)))
}

function readMutant(file: string): Mutant {
  const text = readFileSync(file, "utf8")
  const name = basename(file, ".patch")
  const header = text.slice(0, text.search(/^(?:diff|---) /m)).split("\n")
  const bug = header.filter((line) => line !== "" && !fieldLine.test(line)).join(" ")
  const paths = [...text.matchAll(/^\+\+\+ b\/(\S+)/gm)].map(([, path = ""]) => path)
  const judge = readJudge(name, header)
  if (bug === "" || judge === undefined || paths.length === 0) {
    throw new Error(`${name}: a mutant says what it plants, what may catch it, and a change`)
  }
  return { name, file, bug, breaks: readBreaks(name, header), judge, paths }
}

function fieldOf(header: readonly string[], key: string): string | undefined {
  return header.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2)
}

function readBreaks(name: string, header: readonly string[]): string[] {
  const words = fieldOf(header, "breaks")?.split(" ") ?? []
  return words.map((word) => {
    const rule = /^\[([A-Z]\d+)\]$/.exec(word)?.[1]
    if (rule === undefined) throw new Error(`${name}: breaks: [L3] [K9], not ${word}`)
    return rule
  })
}

function readJudge(name: string, header: readonly string[]): Judge | undefined {
  const test = fieldOf(header, "caught by test")
  if (test !== undefined) {
    const [file = "", title] = test.split(" -t ")
    return { type: "test", file, title }
  }
  const caughtBy = fieldOf(header, "caught by")?.split(", ")
  if (caughtBy === undefined) return undefined
  return { type: "simulator", caughtBy, options: readOptions(name, fieldOf(header, "run") ?? "") }
}

function readOptions(name: string, line: string): HuntOptions {
  try {
    const args = line.split(" ").filter((word) => word !== "")
    return optionsOf(parseArgs({ args, options: flags }).values)
  } catch (error) {
    throw new Error(`${name}: its options can't be read`, { cause: error })
  }
}
