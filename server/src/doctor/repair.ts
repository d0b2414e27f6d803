/**
 * Repairs a data folder: a damaged file is written anew first, then the store is opened as one in
 * doubt, which is what a node does that meets a record it can't read: each log ends before its
 * first damage, what is readable behind that is logged again under a fresh epoch, and whatever can
 * be told from records alone is written anew. Rules [B7] [E4].
 */
import { join } from "node:path"
import type { Renewed, Store } from "@causeway/crdt/ports"
import { openLevelStore, openSqliteStore } from "../store/index.ts"
import { LEVEL_FOLDER } from "../store/level/keys.ts"
import type { FindingKind, Inspection } from "./findings.ts"
import { copyLevel } from "./level-copy.ts"
import type { OnProgress } from "./log-inspector.ts"
import { rebuildDatabase } from "./rebuild.ts"

export type Repair = {
  /** Where the damaged file is kept; undefined if it did not have to be written anew. */
  readonly kept: string | undefined
  /** What the opening found, kept and lost. */
  readonly renewed: Renewed | undefined
}

/** Only the file itself can be at fault for these. */
const ofTheFile: ReadonlySet<FindingKind> = new Set(["pages", "index", "origin", "identity"])

const openers = { sqlite: openSqliteStore, level: openLevelStore } as const

/** @throws StoreOpenError */
export async function repairFolder(
  directory: string,
  { findings, store: type }: Inspection,
  stamp: string,
  onProgress: OnProgress,
): Promise<Repair> {
  let kept: string | undefined
  if (findings.some(({ kind }) => ofTheFile.has(kind))) {
    onProgress("writing the database anew")
    kept = type === "level" ? keepLevel(directory, stamp) : rebuildDatabase(directory, stamp)
  }
  onProgress("looking through the log")
  const store = await openers[type]({
    directory,
    node: undefined,
    doubt: { why: "corrupt" },
    onTrouble: onProgress,
  })
  const { renewed } = store.opened
  await closed(store)
  return { kept, renewed }
}

/** The opening in doubt writes the store anew; what was there stays beside it. */
function keepLevel(directory: string, stamp: string): string {
  const kept = join(directory, `${LEVEL_FOLDER}.damaged-${stamp}`)
  copyLevel(join(directory, LEVEL_FOLDER), kept)
  return kept
}

function closed(store: Store): Promise<void> {
  return new Promise((resolve) => store.close(resolve))
}
