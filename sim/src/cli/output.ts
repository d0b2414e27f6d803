/**
 * The files that commands write. A run may take hours, so whether its file can be written is asked
 * before it begins; what fails all the same is told in words, as bad arguments are.
 */
import { accessSync, constants, statSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { InvalidArgumentError } from "commander"

/** @throws InvalidArgumentError in words for the user, if `path` could not be written now */
export function checkOutput(path: string): void {
  const why = whyUnwritable(path)
  if (why !== undefined) throw new InvalidArgumentError(`${path} can't be written: ${why}`)
}

function whyUnwritable(path: string): string | undefined {
  const folder = dirname(resolve(path))
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      return `there is no folder ${folder}; make it or name another file`
    }
    const there = statSync(path, { throwIfNoEntry: false })
    if (there?.isDirectory() === true) return "it is a folder; name a file in it"
    accessSync(there === undefined ? folder : path, constants.W_OK)
    return undefined
  } catch (error) {
    return `${messageOf(error)}; name another file`
  }
}

/** @throws InvalidArgumentError in words for the user */
export function writeOutput(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new InvalidArgumentError(
      `${path} could not be written: ${messageOf(error)}; run it again with another file`,
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
