/**
 * The folders of LevelDB within a data folder, and how one takes another's place: the new one is
 * whole before the old one is moved aside, and a crash at any moment leaves one that is.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Level } from "level"
import { checkWritable, makeDirectory, syncDirectory } from "../directory.ts"
import { LevelDatabase } from "./database.ts"
import { asLevelError, isDamage } from "./failures.ts"
import { LEVEL_FOLDER } from "./keys.ts"
import { hasDamagedTable, mendTables } from "./tables.ts"
import { markOpen } from "./unclean.ts"

const NEW = `${LEVEL_FOLDER}.new`
const OLD = `${LEVEL_FOLDER}.old`

export type OpenedFolder = {
  readonly database: LevelDatabase
  /** Whether all tables were found sound before, or made so. */
  readonly isChecked: boolean
  /** Whether LevelDB could only be opened after what is readable in it was gathered. */
  readonly isRepaired: boolean
}

/**
 * Opens what the folder holds, or something new. `isInDoubt`: its tables are checked first.
 * @throws LevelError
 */
export async function openFolder(directory: string, isInDoubt: boolean): Promise<OpenedFolder> {
  makeDirectory(directory)
  checkWritable(directory, [LEVEL_FOLDER])
  settle(directory)
  const path = join(directory, LEVEL_FOLDER)
  try {
    const isChecked = markOpen(directory) || isInDoubt
    if (isChecked && hasDamagedTable(path)) return await openRepaired(directory)
    // LevelDB takes a folder without this file for an empty one, and empties it.
    if (isHeadless(path)) return await openRepaired(directory)
    const isNew = !existsSync(path)
    const database = await LevelDatabase.open(path)
    if (isNew) syncDirectory(directory)
    return { database, isChecked, isRepaired: false }
  } catch (error) {
    if (isDamage(error)) return openRepaired(directory)
    throw error
  }
}

/** Finishes or undoes a replacement that a crash interrupted. */
function settle(directory: string): void {
  const [live, old, fresh] = [LEVEL_FOLDER, OLD, NEW].map((name) => join(directory, name))
  if (live === undefined || old === undefined || fresh === undefined) return
  if (!existsSync(live) && existsSync(old) && existsSync(fresh)) renameSync(fresh, live)
  for (const left of [old, fresh]) rmSync(left, { recursive: true, force: true })
}

/** An empty database that is to take the place of the folder's. */
export function openReplacement(directory: string): Promise<LevelDatabase> {
  const path = join(directory, NEW)
  rmSync(path, { recursive: true, force: true })
  return LevelDatabase.open(path)
}

/** Both are closed. Gives the new one, open in the place of the old. */
export async function replace(directory: string): Promise<LevelDatabase> {
  const live = join(directory, LEVEL_FOLDER)
  renameSync(live, join(directory, OLD))
  renameSync(join(directory, NEW), live)
  syncDirectory(directory)
  rmSync(join(directory, OLD), { recursive: true, force: true })
  return LevelDatabase.open(live)
}

/** Whether there is data, and nothing that says which files are the last. */
function isHeadless(path: string): boolean {
  if (!existsSync(path)) return false
  const names = readdirSync(path)
  if (!names.some((name) => /\.(?:ldb|sst|log)$/.test(name))) return false
  return !names.includes("CURRENT") || !names.includes(currentManifest(path))
}

function currentManifest(path: string): string {
  return readFileSync(join(path, "CURRENT"), "utf8").trimEnd()
}

/** Of a folder whose LevelDB is closed. */
export async function openRepaired(directory: string): Promise<OpenedFolder> {
  const path = join(directory, LEVEL_FOLDER)
  // Before LevelDB looks at them: what is damaged may end the process.
  mendTables(path)
  await repair(path)
  return { database: await LevelDatabase.open(path), isChecked: true, isRepaired: true }
}

/** LevelDB's own: gathers its tables and logs, and moves aside what it can't read. */
async function repair(path: string): Promise<void> {
  const method: unknown = Reflect.get(Level, "repair")
  if (typeof method !== "function") return
  try {
    await Reflect.apply(method, Level, [path])
  } catch (error) {
    throw asLevelError(error)
  }
}
