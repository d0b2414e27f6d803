/**
 * Folders that appear whole or not at all: filled under another name beside their place, synced,
 * then renamed. Rules [B3] [B4].
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs"
import { closeSync, fsyncSync, openSync } from "node:fs"
import { randomBytes } from "node:crypto"
import { basename, dirname, join, resolve } from "node:path"
import { makeDirectory, syncDirectory } from "../store/directory.ts"
import { errorMessage } from "../store/errors.ts"
import { CommandError } from "./command-error.ts"

/** @throws CommandError unless there is nothing at `path`, or an empty folder */
export function checkVacant(path: string): void {
  if (!existsSync(path)) return
  if (!statSync(path).isDirectory()) throw new CommandError(`${path} is no folder`)
  if (readdirSync(path).length > 0) {
    throw new CommandError(`${path} is not empty; name a folder that is not there yet`)
  }
}

/** Fills a folder and puts it at `path`; if anything fails nothing is left. */
export async function fillFolder<Result>(
  path: string,
  fill: (staged: string) => Promise<Result>,
): Promise<Result> {
  const target = resolve(path)
  checkVacant(target)
  const parent = dirname(target)
  const staged = join(parent, `.${basename(target)}.${randomBytes(4).toString("hex")}.part`)
  try {
    makeDirectory(parent)
    mkdirSync(staged, { mode: 0o700 })
  } catch (error) {
    throw new CommandError(`cannot write to ${parent}: ${errorMessage(error)}`)
  }
  try {
    const result = await fill(staged)
    for (const name of readdirSync(staged)) syncFile(join(staged, name))
    syncDirectory(staged)
    checkVacant(target)
    if (existsSync(target)) rmdirSync(target)
    renameSync(staged, target)
    syncDirectory(parent)
    return result
  } catch (error) {
    rmSync(staged, { recursive: true, force: true })
    throw error
  }
}

function syncFile(file: string): void {
  const descriptor = openSync(file, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
