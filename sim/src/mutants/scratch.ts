/**
 * A scratch copy of what the simulator and the tests of the product run, where patches are
 * applied: sources only, with packages linked from the repository, except ours, which resolve to
 * the copy. The repository itself is only read.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { promisify } from "node:util"
import type { Mutant } from "./mutant.ts"

const run = promisify(execFile)
const OWN_SCOPE = "@causeway"
const packages = ["crdt", "server", "client-sdk", "sim"]
const skipped = new Set(["node_modules", "dist", "coverage"])

export class Scratch {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(root: string): Promise<Scratch> {
    const folder = await mkdtemp(join(tmpdir(), "causeway-mutants-"))
    for (const name of ["package.json", "tsconfig.json", "vitest.config.ts", "docs", ...packages]) {
      const filter = (path: string): boolean => !skipped.has(basename(path))
      await cp(join(root, name), join(folder, name), { recursive: true, filter })
    }
    await linkPackages(root, folder)
    return new Scratch(folder)
  }

  /** Runs with the patch applied. @throws Error if it does not fit the sources any more. */
  async patched<Result>(mutant: Mutant, hunt: () => Promise<Result>): Promise<Result> {
    const before = new Map<string, string>()
    for (const path of mutant.paths) {
      before.set(path, await readFile(join(this.folder, path), "utf8"))
    }
    try {
      await gitApply(this.folder, mutant, [])
      return await hunt()
    } finally {
      for (const [path, text] of before) await writeFile(join(this.folder, path), text)
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** @throws Error if the patch would not apply below `folder`. */
export async function checkPatch(folder: string, mutant: Mutant): Promise<void> {
  await gitApply(folder, mutant, ["--check"])
}

async function gitApply(folder: string, { name, file }: Mutant, how: string[]): Promise<void> {
  // A little context less than usual, so that small changes nearby do not matter.
  const args = ["apply", ...how, "--recount", "-C2", file]
  // Outside any repository, or paths would be taken from its root.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) }
  try {
    await run("git", args, { cwd: folder, env })
  } catch (error) {
    throw new Error(`${name} does not apply any more`, { cause: error })
  }
}

async function linkPackages(root: string, folder: string): Promise<void> {
  const ours = join(folder, "node_modules", OWN_SCOPE)
  await linkAll(join(root, "node_modules"), join(folder, "node_modules"))
  await mkdir(ours)
  for (const name of packages) {
    await linkAll(join(root, name, "node_modules"), join(folder, name, "node_modules"))
    const { name: scoped } = JSON.parse(await readFile(join(folder, name, "package.json"), "utf8"))
    await symlink(join(folder, name), join(folder, "node_modules", scoped))
  }
}

/** All but ours, and but caches, which vitest writes into. */
async function linkAll(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return
  await mkdir(to)
  for (const name of await readdir(from)) {
    if (name !== OWN_SCOPE && !name.startsWith(".")) await symlink(join(from, name), join(to, name))
  }
}
