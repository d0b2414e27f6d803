/** What went wrong in LevelDB, which says it in English, or in IndexedDB, which has names. */
import type { StorageFailureCode } from "@causeway/crdt/ports"

const byCode: Readonly<Record<string, StorageFailureCode>> = {
  LEVEL_LOCKED: "blocked",
  LEVEL_CORRUPTION: "damaged",
  LEVEL_DATABASE_NOT_OPEN: "closed",
  LEVEL_ITERATOR_NOT_OPEN: "closed",
}

/** Names of DOMExceptions. */
const byName: Readonly<Record<string, StorageFailureCode>> = {
  QuotaExceededError: "full",
  SecurityError: "denied",
  // Firefox's private windows, where they have no IndexedDB.
  InvalidStateError: "closed",
  NotFoundError: "closed",
  AbortError: "closed",
  DataError: "damaged",
}

const byText: readonly (readonly [RegExp, StorageFailureCode])[] = [
  [/No space left on device|Disk quota exceeded|File too large/, "full"],
  [/Read-only file system|Permission denied|Operation not permitted/, "denied"],
  [/mutation operation was attempted on a database that did not allow/, "denied"],
  [/indexedDB is not defined/, "denied"],
]

export function failureCode(error: unknown): StorageFailureCode {
  if (!(error instanceof Error)) return "failed"
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  const known = byText.find(([text]) => text.test(error.message))?.[1]
  return known ?? byCode[code] ?? byName[error.name] ?? "failed"
}
