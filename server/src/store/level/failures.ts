/**
 * LevelDB tells what went wrong in English alone, and its binding wraps that once more. Here it
 * becomes an error with the code that the operating system gave, or LevelDB's own.
 */
import { errorCode, errorMessage } from "../errors.ts"

export class LevelError extends Error {
  override readonly name = "LevelError"
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** LevelDB's own reasons, which are told apart by a code. */
const ownCodes = ["LEVEL_LOCKED", "LEVEL_CORRUPTION"]

/** What strerror says, by its code. */
const systemCodes = [
  ["No space left on device", "ENOSPC"],
  ["Disk quota exceeded", "ENOSPC"],
  ["Read-only file system", "EROFS"],
  ["Permission denied", "EACCES"],
  ["Operation not permitted", "EPERM"],
  ["File too large", "EFBIG"],
  ["Input/output error", "EIO"],
  ["Too many open files", "EMFILE"],
  ["Not a directory", "ENOTDIR"],
  ["File name too long", "ENAMETOOLONG"],
] as const

/** The innermost reason. */
export function asLevelError(error: unknown): LevelError {
  let reason = error
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause
  const message = errorMessage(reason)
  const code = errorCode(reason)
  if (ownCodes.includes(code) || code === "") return new LevelError(code, message)
  const system = systemCodes.find(([text]) => message.includes(text))
  return new LevelError(system?.[1] ?? code, message)
}

/** Whether LevelDB found its own files damaged. */
export function isDamage(error: unknown): boolean {
  return errorCode(error) === "LEVEL_CORRUPTION"
}
