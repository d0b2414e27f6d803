/**
 * Assertions stay on in production: a broken invariant of ours stops the process (or the
 * simulated run) instead of spreading. Never for input from outside; that is DecodeError.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError"
}

export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantError(typeof message === "string" ? message : message())
}

/** The default arm of an exhaustive switch: the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`)
}
