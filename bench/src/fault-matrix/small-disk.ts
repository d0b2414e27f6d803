/**
 * A disk that is really full: a small tmpfs of the run's own, filled to the last block with one
 * file, which freeing removes. Only root can mount one; elsewhere the cases that need it are
 * skipped. Invariant: whatever was mounted is unmounted when the process ends.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const sizeMib = 8
const mountProgram = "mount"
const unmountProgram = "umount"
/** No image takes it along. */
export const ballastName = "ballast"

const mounted = new Set<string>()

/** Whether this process may mount, and why not. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== "linux") return "a small tmpfs needs Linux"
  return process.getuid?.() === 0 ? undefined : "mounting a small tmpfs needs root"
}

export class SmallDisk {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** @throws Error if it cannot be mounted. */
  static mount(folder: string): SmallDisk {
    mkdirSync(folder, { recursive: true })
    const options = ["-t", "tmpfs", "-o", `size=${sizeMib}m`, "tmpfs", folder]
    execFileSync(mountProgram, options, { stdio: "pipe" })
    mounted.add(folder)
    return new SmallDisk(folder)
  }

  /** Not a block is left. */
  fill(): void {
    const path = join(this.folder, ballastName)
    const { bsize } = statfsSync(this.folder)
    let blocks = statfsSync(this.folder).bavail
    while (blocks > 0) {
      try {
        writeFileSync(path, Buffer.alloc(blocks * bsize), { flag: "a" })
      } catch {
        // Full; what is left is tried in smaller pieces.
      }
      blocks = Math.floor(blocks / 2)
    }
  }

  free(): void {
    rmSync(join(this.folder, ballastName), { force: true })
  }

  unmount(): void {
    unmount(this.folder)
  }
}

/** Unmounts what is still there. */
export function unmountAll(): void {
  for (const folder of mounted) unmount(folder)
}

function unmount(folder: string): void {
  if (!mounted.delete(folder)) return
  // Lazily: a process that was just killed may still hold a file of it.
  execFileSync(unmountProgram, ["--lazy", folder], { stdio: "pipe" })
}
