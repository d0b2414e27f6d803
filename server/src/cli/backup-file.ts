/**
 * What a backup consists of: the database, of LevelDB as one file (store/level/archive.ts), and a
 * small file that says what it is. A backup is only
 * good if every entry in it is; it has no boot record, so whatever is started on it begins a fresh
 * epoch ([E2]). Rules [B3] [B4].
 */
import { createHash } from "node:crypto"
import { constants, copyFileSync, createReadStream, readFileSync } from "node:fs"
import { join } from "node:path"
import { inspectStore } from "../doctor/inspect-store.ts"
import type { Inspection } from "../doctor/findings.ts"
import { errorMessage } from "../store/errors.ts"
import { storeKinds } from "../store/index.ts"
import type { StoreKind } from "../store/index.ts"
import { unpackArchive } from "../store/level/archive.ts"
import { DATABASE_FILE } from "../store/sqlite/schema.ts"
import { CommandError, say } from "./command-error.ts"

export const MANIFEST_FILE = "backup.json"
const format = 1

/** What a backup's data is called, by the kind of store that it is of. */
export const dataFiles = {
  sqlite: DATABASE_FILE,
  level: "causeway.level-archive",
} as const satisfies Readonly<Record<StoreKind, string>>

export type Manifest = {
  readonly format: number
  /** Undefined: SQLite. */
  readonly store?: StoreKind
  /** When it was complete. */
  readonly madeAt: string
  readonly node: string
  readonly origin: string
  readonly entries: number
  readonly documents: number
  /** Up to where each origin's log is in it. */
  readonly vector: Readonly<Record<string, number>>
  readonly bytes: number
  readonly sha256: string
}

/** Makes the store of `directory` of the data of a backup. @throws CommandError */
export async function putStore(file: string, store: StoreKind, directory: string): Promise<void> {
  try {
    if (store === "level") await unpackArchive(file, directory)
    else copyFileSync(file, join(directory, DATABASE_FILE), constants.COPYFILE_FICLONE)
  } catch (error) {
    throw new CommandError(`cannot copy the backup: ${errorMessage(error)}`)
  }
}

/** Looks through the store of `directory`. @throws CommandError if anything is wrong with it */
export async function verified(directory: string): Promise<Inspection> {
  const inspection = await inspectStore(directory, say)
  const wrong = inspection.findings.filter(({ kind }) => kind !== "boot-record")
  const [first] = wrong
  if (first !== undefined) throw new CommandError(`the backup is damaged: ${first.message}`)
  return inspection
}

export function manifestOf(inspection: Inspection, bytes: number, sha256: string): Manifest {
  const { store, entries, documents, vector } = inspection
  const [node, origin] = [inspection.node ?? "", inspection.origin ?? ""]
  const madeAt = new Date().toISOString()
  return { format, store, madeAt, node, origin, entries, documents, vector, bytes, sha256 }
}

/** @throws CommandError */
export function readManifest(directory: string): Manifest {
  const file = join(directory, MANIFEST_FILE)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    throw new CommandError(`${directory} is no backup: ${errorMessage(error)}`)
  }
  if (!isManifest(value)) throw new CommandError(`${file} says nothing of a backup`)
  if (value.format > format) {
    throw new CommandError(`${directory} was made by a newer version; restore it with that one`)
  }
  return value
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== "object" || value === null) return false
  if (!("format" in value) || !("bytes" in value) || !("sha256" in value)) return false
  const { format: written, bytes, sha256 } = value
  if ("store" in value && !storeKinds.some((kind) => kind === value.store)) return false
  return typeof written === "number" && typeof bytes === "number" && typeof sha256 === "string"
}

/** @throws CommandError if the data is not, to the byte, what was backed up */
export async function checkBytes(file: string, { bytes, sha256 }: Manifest): Promise<void> {
  const hash = createHash("sha256")
  let length = 0
  try {
    for await (const chunk of createReadStream(file)) {
      if (!(chunk instanceof Uint8Array)) continue
      hash.update(chunk)
      length += chunk.length
    }
  } catch (error) {
    throw new CommandError(`the backup can't be read: ${errorMessage(error)}`)
  }
  if (length === bytes && hash.digest("hex") === sha256) return
  throw new CommandError(`the backup is damaged: ${file} is not what was written`)
}
