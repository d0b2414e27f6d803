/**
 * The data folder itself: made durably if it is not there, and known to be writable before a
 * database opens it, since those report files without the right to write as any I/O error. All
 * that is thrown here are the operating system's own errors.
 */
import { accessSync, closeSync, constants, existsSync, fsyncSync } from "node:fs"
import { mkdirSync, openSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { errorCode } from "./errors.ts"

/**
 * Makes the folder and what is missing above it; each is there after a crash. Node's own recursive
 * mkdir never ends in a folder whose file system makes none, such as /proc.
 */
export function makeDirectory(directory: string): void {
  makeStep(resolve(directory))
}

function makeStep(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  try {
    makeOne(path)
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || parent === path) throw error
    makeStep(parent)
    makeOne(path)
  }
  syncDirectory(parent)
}

/** Another process may make it at the same time, which is as good. */
function makeOne(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (errorCode(error) !== "EEXIST" || !existsSync(path)) throw error
  }
}

/** Throws unless this process may write the folder and those of these files that are there. */
export function checkWritable(directory: string, files: readonly string[]): void {
  const { R_OK, W_OK, X_OK } = constants
  accessSync(directory, R_OK | W_OK | X_OK)
  for (const path of files.map((file) => join(directory, file))) {
    if (existsSync(path)) accessSync(path, R_OK | W_OK)
  }
}

/** A new file is only there after a crash if its directory was synced too. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
