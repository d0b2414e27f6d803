/** The kinds of store that keep a data folder: a folder is of one, and the others refuse it. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { StoreOpenError } from "./errors.ts"

/** What the data folder of each kind holds, and what an operator calls it. */
const kinds = {
  sqlite: { entry: "causeway.sqlite", title: "SQLite" },
  level: { entry: "causeway.level", title: "LevelDB" },
} as const

export type StoreKind = keyof typeof kinds

/** The kinds, in the order in which they are offered. */
export const storeKinds = ["sqlite", "level"] as const satisfies readonly StoreKind[]

/** The file or folder within a data folder that is the store. */
export function storeEntry(kind: StoreKind): string {
  return kinds[kind].entry
}

/** @throws StoreOpenError `other-store` if the folder is one of another kind. */
export function checkKind(directory: string, wanted: StoreKind): void {
  for (const kind of storeKinds) {
    const { entry, title } = kinds[kind]
    if (kind === wanted || !existsSync(join(directory, entry))) continue
    throw new StoreOpenError(
      "other-store",
      `the data folder ${directory} holds a store of ${title}, not of ${kinds[wanted].title}; ` +
        `start with --store ${kind}, or choose another folder`,
    )
  }
}
