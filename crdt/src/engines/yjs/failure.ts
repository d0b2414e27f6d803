/**
 * Yjs recurses over nested types, and an item's meaning depends on items of other updates: bytes
 * that validation rightly accepts can still be too much for it (thousands of types inside each
 * other, two different contents under one id). Whatever it throws becomes an EngineError.
 */
import { EngineError } from "../engine.ts"

export function asEngineError<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (error instanceof EngineError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new EngineError("invalid-update", `Yjs cannot read this: ${message}`, { cause: error })
  }
}
