/** Looks through a data folder of either kind of store. Rules [B5] [B6]. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { storeEntry } from "../store/kinds.ts"
import type { StoreKind } from "../store/index.ts"
import type { Inspection } from "./findings.ts"
import { inspectFolder } from "./inspect.ts"
import { inspectLevelFolder } from "./inspect-level.ts"
import type { OnProgress } from "./log-inspector.ts"

/** @throws StoreOpenError if there is no store, or another process has it open */
export async function inspectStore(directory: string, onProgress: OnProgress): Promise<Inspection> {
  return storeIn(directory) === "level"
    ? inspectLevelFolder(directory, onProgress)
    : inspectFolder(directory, onProgress)
}

/** SQLite where there is none. */
function storeIn(directory: string): StoreKind {
  const [isLevel, isSqlite] = (["level", "sqlite"] as const).map((kind) =>
    existsSync(join(directory, storeEntry(kind))),
  )
  return isLevel === true && isSqlite !== true ? "level" : "sqlite"
}
