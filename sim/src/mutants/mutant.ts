/**
 * A mutant is one planted protocol bug: a patch in `sim/mutants/` whose first lines, which
 * `git apply` skips, say what it plants, which invariants may catch it, and under which options
 * it is likely to matter.
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
  /** Invariants that may catch it. */
  readonly caughtBy: readonly string[]
  readonly options: HuntOptions
  /** The files it changes, relative to the repository. */
  readonly paths: readonly string[]
}

/** The repository this file is in. */
export const repository: string = fileURLToPath(new URL("../../..", import.meta.url))

const flags = {
  nodes: { type: "string" },
  clients: { type: "string" },
  "stock-clients": { type: "string" },
  seconds: { type: "string" },
  "writes-per-second": { type: "string" },
  faults: { type: "string" },
  workload: { type: "string" },
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
  const field = (key: string): string | undefined =>
    header.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2)
  const caughtBy = field("caught by")?.split(", ") ?? []
  const bug = header.filter((line) => line !== "" && !/^(?:caught by|run): /.test(line)).join(" ")
  const paths = [...text.matchAll(/^\+\+\+ b\/(\S+)/gm)].map(([, path = ""]) => path)
  if (bug === "" || caughtBy.length === 0 || paths.length === 0) {
    throw new Error(`${name}: a mutant says what it plants, what may catch it, and a change`)
  }
  return { name, file, bug, caughtBy, options: readOptions(name, field("run") ?? ""), paths }
}

function readOptions(name: string, line: string): HuntOptions {
  try {
    const args = line.split(" ").filter((word) => word !== "")
    return optionsOf(parseArgs({ args, options: flags }).values)
  } catch (error) {
    throw new Error(`${name}: its options can't be read`, { cause: error })
  }
}
