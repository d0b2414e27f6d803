/**
 * What a backup consists of: the database, and a small file that says what it is. A backup is only
 * good if every entry in it is; it has no boot record, so whatever is started on it begins a fresh
 * epoch ([E2]). Rules [B3] [B4].
 */
import { createHash } from "node:crypto"
import { createReadStream, readFileSync } from "node:fs"
import { join } from "node:path"
import { inspectFolder } from "../doctor/inspect.ts"
import type { Inspection } from "../doctor/findings.ts"
import { errorMessage } from "../store/errors.ts"
import { DATABASE_FILE } from "../store/sqlite/schema.ts"
import { CommandError, say } from "./command-error.ts"

export const MANIFEST_FILE = "backup.json"
const format = 1

export type Manifest = {
  readonly format: number
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

/** Looks through the database of `directory`. @throws CommandError if anything is wrong with it */
export function verified(directory: string): Inspection {
  const inspection = inspectFolder(directory, say)
  const wrong = inspection.findings.filter(({ kind }) => kind !== "boot-record")
  const [first] = wrong
  if (first !== undefined) throw new CommandError(`the backup is damaged: ${first.message}`)
  return inspection
}

export function manifestOf(inspection: Inspection, bytes: number, sha256: string): Manifest {
  const { entries, documents, vector } = inspection
  const [node, origin] = [inspection.node ?? "", inspection.origin ?? ""]
  const madeAt = new Date().toISOString()
  return { format, madeAt, node, origin, entries, documents, vector, bytes, sha256 }
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
  return typeof written === "number" && typeof bytes === "number" && typeof sha256 === "string"
}

/** @throws CommandError if the database is not, to the byte, the one that was backed up */
export async function checkBytes(directory: string, { bytes, sha256 }: Manifest): Promise<void> {
  const hash = createHash("sha256")
  let length = 0
  try {
    for await (const chunk of createReadStream(join(directory, DATABASE_FILE))) {
      if (!(chunk instanceof Uint8Array)) continue
      hash.update(chunk)
      length += chunk.length
    }
  } catch (error) {
    throw new CommandError(`the backup can't be read: ${errorMessage(error)}`)
  }
  if (length === bytes && hash.digest("hex") === sha256) return
  throw new CommandError(`the backup is damaged: ${DATABASE_FILE} is not what was written`)
}
