/**
 * Copies an open database to another file, a few pages at a time: what is written meanwhile goes
 * into the copy too, as both go through one connection. The copy is synced by other threads as it
 * grows, so that the sync at its end, which keeps commits waiting, has little left. Rule [B2].
 */
import { rmSync } from "node:fs"
import { open } from "node:fs/promises"
import { dirname } from "node:path"
import type { Database } from "better-sqlite3"
import { syncDirectory } from "../directory.ts"
import type { BackupProgress } from "../thread/backup.ts"

/** Of 4 KiB: a commit that comes in between waits for so many. */
const stepPages = 64
/** Pages between two syncs of the copy; one at a time. */
const syncPages = 1024

export async function backupDatabase(
  database: Database,
  file: string,
  goesOn: (progress: BackupProgress) => boolean,
): Promise<void> {
  const copy = await open(file, "wx", 0o600)
  try {
    let syncAt = syncPages
    let isSyncing = false
    await database.backup(file, {
      progress({ totalPages: total, remainingPages }) {
        const done = total - remainingPages
        if (!goesOn({ done, total })) throw new Error("called off")
        if (done >= syncAt && !isSyncing) {
          syncAt = done + syncPages
          isSyncing = true
          // A failure shows at the end.
          void copy
            .datasync()
            .catch(() => {})
            .finally(() => (isSyncing = false))
        }
        return stepPages
      },
    })
    await copy.sync()
  } catch (error) {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(file + suffix, { force: true })
    throw error
  } finally {
    await copy.close()
  }
  syncDirectory(dirname(file))
}
