/**
 * A copy of a LevelDB store to look through: LevelDB writes whenever it opens a folder, and the
 * doctor changes nothing. Tables, which are never written again, are linked where that can be, so
 * it takes the space of LevelDB's log alone. Rule [B5].
 */
import { randomBytes } from "node:crypto"
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs"
import { rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { Level } from "level"
import { asOpenError, errorCode } from "../store/errors.ts"
import { asLevelError } from "../store/level/failures.ts"
import { LEVEL_FOLDER } from "../store/level/keys.ts"

const LOCK = "LOCK"

/**
 * Gives a data folder with the same store and nothing else. Whoever opens it takes the lock of the
 * store itself, where that can be linked: neither can be opened while the other is.
 * @throws StoreOpenError
 */
export async function copyForLook(directory: string): Promise<string> {
  const path = join(directory, LEVEL_FOLDER)
  const copy = makeFolder(directory)
  try {
    const to = join(copy, LEVEL_FOLDER)
    copyLevel(path, to)
    if (!isLinked(join(path, LOCK), join(to, LOCK))) await checkUnused(path)
    return copy
  } catch (error) {
    rmSync(copy, { recursive: true, force: true })
    throw asOpenError(error, directory)
  }
}

/** Tables are linked, or copied where links can't be made; everything else is copied. */
export function copyLevel(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 })
  for (const file of readdirSync(from, { withFileTypes: true })) {
    if (!file.isFile() || file.name === LOCK) continue
    const [source, target] = [join(from, file.name), join(to, file.name)]
    if (!/\.(?:ldb|sst)$/.test(file.name) || !isLinked(source, target)) {
      copyFileSync(source, target)
    }
  }
}

function isLinked(source: string, target: string): boolean {
  try {
    linkSync(source, target)
    return true
  } catch {
    return false
  }
}

/** Beside the data folder, where links can be made, or where there is room for anything. */
function makeFolder(directory: string): string {
  const path = resolve(directory)
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.doctor`)
  try {
    mkdirSync(beside, { mode: 0o700 })
    return beside
  } catch {
    return mkdtempSync(join(tmpdir(), "causeway-doctor-"))
  }
}

/**
 * LevelDB takes its lock before anything else, and then finds that there is a database, which it
 * was told is an error: nothing is written but its own LOG. @throws LevelError
 */
async function checkUnused(path: string): Promise<void> {
  const level = new Level(path, { createIfMissing: false, errorIfExists: true })
  try {
    await level.open()
  } catch (error) {
    const reason = asLevelError(error)
    if (errorCode(reason) === "LEVEL_LOCKED") throw reason
  }
}
