/**
 * How often in a row a process ended without closing the store. LevelDB's assertions on a damaged
 * table end the process; from the second time on all tables are checked before they are opened.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errorCode } from "../errors.ts"
import { LEVEL_FOLDER } from "./keys.ts"

/** So many in a row are an accident still. */
const accidentsMax = 1

function markPath(directory: string): string {
  return join(directory, `${LEVEL_FOLDER}.open`)
}

/** Marks the store as open; true if it ended too often without being closed. */
export function markOpen(directory: string): boolean {
  const ends = uncleanEnds(directory)
  // Not synced: a process that ends leaves its writes, and a power cut is no assertion.
  writeFileSync(markPath(directory), String(ends + 1))
  return ends > accidentsMax
}

function uncleanEnds(directory: string): number {
  try {
    const text = readFileSync(markPath(directory), "utf8")
    return /^\d{1,9}$/.test(text) ? Number(text) : accidentsMax + 1
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0
    throw error
  }
}

export function markClosed(directory: string): void {
  rmSync(markPath(directory), { force: true })
}
