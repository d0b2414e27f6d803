/**
 * Why a store could not be opened: a stable code and one line that tells what to do. Everything
 * that goes wrong later is a result of the call it happened to (ports/store.ts).
 */
import type { OriginId } from "@causeway/crdt/base"

export type StoreOpenErrorCode =
  | "not-writable"
  | "locked"
  | "not-a-store"
  | "damaged"
  | "newer-version"
  | "other-node"
  | "other-store"
  | "failed"

export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError"
  readonly code: StoreOpenErrorCode

  /** `message` is one line. */
  constructor(code: StoreOpenErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A batch breaks a rule of snapshots and floors ([K1] [K2]); nothing of it is kept. */
export class RefusedError extends Error {
  override readonly name = "RefusedError"
}

/** A floor would pass a snapshot that can't be read ([K12]); nothing of the batch is kept. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError"

  constructor(origin: OriginId) {
    super(`a floor over a snapshot that can't be read, of ${origin}`)
  }
}

/** What a file gives back is in no order that it can have; SQLite itself did not notice. */
export class PagesError extends Error {
  override readonly name = "PagesError"
  readonly code = "SQLITE_CORRUPT"
}

/** The operating system's and SQLite's short code of what was thrown; "" if it has none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return ""
  return typeof error.code === "string" ? error.code : ""
}

/** Whether it was thrown because there is no space left. */
export function isFull(error: unknown): boolean {
  const code = errorCode(error)
  return code.startsWith("SQLITE_FULL") || code === "ENOSPC"
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The file is there, and is no store of ours. */
export function notAStore(file: string, detail: string): StoreOpenError {
  return new StoreOpenError(
    "not-a-store",
    `${file} is not a database of Causeway (${detail}); ` +
      "choose another data folder, or restore this one from a backup",
  )
}

/** What kept the folder's store from opening, in one line that says what to do. */
export function asOpenError(error: unknown, directory: string): StoreOpenError {
  if (error instanceof StoreOpenError) return error
  const code = errorCode(error)
  const detail = errorMessage(error).split("\n")[0] ?? ""
  if (isOneOf(lockedCodes, code)) {
    return new StoreOpenError(
      "locked",
      `the data folder ${directory} is in use by another process; ` +
        "stop that one, or choose another folder",
    )
  }
  if (isOneOf(damagedCodes, code)) {
    return new StoreOpenError(
      "damaged",
      `the files in ${directory} are damaged (${detail}); stop the node, then ` +
        `causeway doctor --data ${directory} --repair writes them anew from what can be read`,
    )
  }
  if (isOneOf(foreignCodes, code)) return notAStore(`what lies in ${directory}`, detail)
  if (isOneOf(notWritableCodes, code)) {
    return new StoreOpenError(
      "not-writable",
      `cannot write to the data folder ${directory} (${detail}); ` +
        "give this user the right to write there, or choose another folder",
    )
  }
  if (isFull(error)) {
    return new StoreOpenError("failed", `no space left for the data folder ${directory}; free some`)
  }
  return new StoreOpenError("failed", `cannot open the data folder ${directory}: ${detail}`)
}

function isOneOf(prefixes: readonly string[], code: string): boolean {
  return prefixes.some((prefix) => code.startsWith(prefix))
}

const lockedCodes = ["SQLITE_BUSY", "SQLITE_LOCKED", "LEVEL_LOCKED"]
const damagedCodes = ["SQLITE_CORRUPT", "LEVEL_CORRUPTION"]
const foreignCodes = ["SQLITE_NOTADB"]
const notWritableCodes = [
  "SQLITE_CANTOPEN",
  "SQLITE_READONLY",
  "SQLITE_PERM",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOENT",
  "ENAMETOOLONG",
  "ENOTDIR",
  "EEXIST",
]
