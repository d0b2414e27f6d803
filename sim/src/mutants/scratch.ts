/**
 * A scratch copy of `crdt` and `sim` where patches are applied: sources only, with packages
 * linked from the repository, except ours, which resolve to the copy. The repository itself is
 * only read.
 */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import type { Mutant } from "./mutant.ts"

const run = promisify(execFile)
const OWN_SCOPE = "@causeway"
const packages = ["crdt", "sim"]

export class Scratch {
  readonly folder: string
  /** What the applied patch changed, as it was. */
  readonly #before = new Map<string, string>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(root: string): Promise<Scratch> {
    const folder = await mkdtemp(join(tmpdir(), "causeway-mutants-"))
    for (const name of ["package.json", "tsconfig.json"]) {
      await cp(join(root, name), join(folder, name))
    }
    for (const name of packages) {
      const filter = (path: string): boolean => !path.endsWith(".test.ts")
      await cp(join(root, name, "src"), join(folder, name, "src"), { recursive: true, filter })
      for (const file of ["package.json", "tsconfig.json"]) {
        await cp(join(root, name, file), join(folder, name, file))
      }
    }
    await linkPackages(root, folder)
    return new Scratch(folder)
  }

  /** @throws Error if the patch does not fit the sources any more. */
  async apply(mutant: Mutant): Promise<void> {
    for (const path of mutant.paths) {
      this.#before.set(path, await readFile(join(this.folder, path), "utf8"))
    }
    await gitApply(this.folder, mutant, [])
  }

  async revert(): Promise<void> {
    for (const [path, text] of this.#before) await writeFile(join(this.folder, path), text)
    this.#before.clear()
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
  const from = join(root, "node_modules")
  const to = join(folder, "node_modules")
  await mkdir(join(to, OWN_SCOPE), { recursive: true })
  for (const name of await readdir(from)) {
    if (name !== OWN_SCOPE) await symlink(join(from, name), join(to, name))
  }
  for (const name of packages) {
    await symlink(join(folder, name), join(to, OWN_SCOPE, name))
  }
}
