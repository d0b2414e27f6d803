/**
 * Why a store could not be opened: a stable code and one line that tells what to do. Everything
 * that goes wrong later is a result of the call it happened to (ports/store.ts).
 */
export type StoreOpenErrorCode =
  | "not-writable"
  | "locked"
  | "not-a-store"
  | "newer-version"
  | "other-node"
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
