/**
 * `causeway restore`: puts a backup into a new data folder, once all of it was looked through.
 * There is no boot record in it, so the node that is started there begins a fresh epoch ([E2]) and
 * gets what it wrote after the backup from its peers. Rule [B4].
 */
import { copyFileSync, constants } from "node:fs"
import { join } from "node:path"
import { errorMessage } from "../store/errors.ts"
import { DATABASE_FILE } from "../store/sqlite/schema.ts"
import { checkBytes, readManifest, verified } from "./backup-file.ts"
import { CommandError, say } from "./command-error.ts"
import { checkVacant, fillFolder } from "./folders.ts"

export type RestoreOptions = { readonly from: string; readonly data: string }

export async function restore({ from, data }: RestoreOptions): Promise<number> {
  checkVacant(data)
  const manifest = readManifest(from)
  await fillFolder(data, async (staged) => {
    say("copying")
    try {
      const flags = constants.COPYFILE_FICLONE
      copyFileSync(join(from, DATABASE_FILE), join(staged, DATABASE_FILE), flags)
    } catch (error) {
      throw new CommandError(`cannot copy the backup: ${errorMessage(error)}`)
    }
    say("looking through the copy")
    await checkBytes(staged, manifest)
    verified(staged)
  })
  const { node, entries, madeAt } = manifest
  process.stdout.write(
    `${data}: ${entries} entries of node ${node} as of ${madeAt}\n` +
      "before you start it, make sure that no other process runs as this node\n",
  )
  return 0
}
