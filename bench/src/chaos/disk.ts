/** A node's folder as faults treat it: filled to the last block, wiped, copied, put back. */
import { cpSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Beside the store's files, which take no notice of it. */
const ballastName = "ballast"

/** Writes until nothing fits any more. @throws Error if that would be too much for a tmpfs */
export function fill(folder: string): void {
  const path = join(folder, ballastName)
  const { bsize, bavail } = statfsSync(folder)
  if (bsize * bavail > smallDiskBytes) throw new Error(`${folder} is not on the small disk`)
  for (let blocks = bavail; blocks > 0; blocks = Math.floor(blocks / 2)) {
    try {
      writeFileSync(path, Buffer.alloc(blocks * bsize), { flag: "a" })
    } catch {
      // Full; what is left is tried in smaller pieces.
    }
  }
}

/** Of the one disk that can be filled; what a node writes in an hour fits. */
export const smallDiskBytes: number = 256 * 1024 * 1024

export function free(folder: string): void {
  rmSync(join(folder, ballastName), { force: true })
}

/** The folder itself stays: it may be where a disk is mounted. */
export function wipe(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
}

/** Of a node that does not run. */
export function copy(folder: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  cpSync(folder, to, { recursive: true })
}

export function putBack(folder: string, from: string): void {
  wipe(folder)
  cpSync(from, folder, { recursive: true })
}
