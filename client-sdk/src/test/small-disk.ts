/** A disk of 4 MiB that can be filled, for real: a tmpfs, which only root can mount. */
import { execFileSync } from "node:child_process"
import { rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { temporaryFolderSync } from "./folders.ts"

const mount = "mount"
const umount = "umount"

/** Gives its folder, gone after the test; undefined, said loudly, where it can't be had. */
export function mountSmallDisk(): string | undefined {
  const path = temporaryFolderSync()
  try {
    execFileSync(mount, ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path], { stdio: "pipe" })
  } catch {
    console.warn("SKIPPED: a full disk needs the right to mount a tmpfs (root)")
    return undefined
  }
  onTestFinished(() => void execFileSync(umount, ["-l", path]))
  return path
}

/** Takes all the room there is; gives what makes room again. */
export function fill(directory: string): () => void {
  const path = join(directory, "ballast")
  for (let blocks = statfsSync(directory).bavail; blocks > 0; blocks = Math.floor(blocks / 2)) {
    try {
      writeFileSync(path, Buffer.alloc(blocks * 4096), { flag: "a" })
    } catch {
      // Full; what is left is tried in smaller pieces.
    }
  }
  return () => rmSync(path)
}
