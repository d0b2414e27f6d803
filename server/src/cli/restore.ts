/**
 * `causeway restore`: puts a backup into a new data folder, once all of it was looked through.
 * There is no boot record in it, so the node that is started there begins a fresh epoch ([E2]) and
 * gets what it wrote after the backup from its peers. Rule [B4].
 */
import { join } from "node:path"
import { checkBytes, dataFiles, putStore, readManifest, verified } from "./backup-file.ts"
import { say } from "./command-error.ts"
import { checkVacant, fillFolder } from "./folders.ts"

export type RestoreOptions = { readonly from: string; readonly data: string }

export async function restore({ from, data }: RestoreOptions): Promise<number> {
  checkVacant(data)
  const manifest = readManifest(from)
  await fillFolder(data, async (staged) => {
    const { store = "sqlite" } = manifest
    const file = join(from, dataFiles[store])
    say("copying")
    // An archive becomes something else; of the other kind the copy itself can be compared.
    if (store === "level") await checkBytes(file, manifest)
    await putStore(file, store, staged)
    say("looking through the copy")
    if (store === "sqlite") await checkBytes(join(staged, dataFiles[store]), manifest)
    await verified(staged)
  })
  const { node, entries, madeAt, store: kind = "sqlite" } = manifest
  process.stdout.write(
    `${data}: ${entries} entries of node ${node} as of ${madeAt}\n` +
      (kind === "sqlite" ? "" : `start it with --store ${kind}\n`) +
      "before you start it, make sure that no other process runs as this node\n",
  )
  return 0
}
