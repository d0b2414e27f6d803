/**
 * Yjs state vectors: varUint count, then client and clock each. Written with the highest client
 * first, as Yjs does, so equal vectors are equal bytes.
 */
import { Writer } from "../../base/writer.ts"
import { EngineError } from "../engine.ts"
import { Cursor } from "./cursor.ts"
import { clockMax } from "./limits.ts"

/** @throws EngineError `invalid-summary`. O(bytes). */
export function readStateVector(summary: Uint8Array): Map<number, number> {
  const vector = new Map<number, number>()
  try {
    const cursor = new Cursor(summary)
    const count = cursor.varUint()
    for (let index = 0; index < count; index++) {
      const client = cursor.varUint()
      const clock = cursor.varUint()
      if (clock > clockMax) throw invalidSummary("clock out of range")
      if (vector.has(client)) throw invalidSummary("client twice")
      vector.set(client, clock)
    }
    if (cursor.remaining > 0) throw invalidSummary("trailing bytes")
  } catch (error) {
    if (error instanceof EngineError && error.code === "invalid-update") {
      throw invalidSummary(error.message, { cause: error })
    }
    throw error
  }
  return vector
}

function invalidSummary(message: string, options?: ErrorOptions): EngineError {
  return new EngineError("invalid-summary", message, options)
}

/** Clients at clock 0 are left out. O(n log n). */
export function writeStateVector(vector: Iterable<readonly [number, number]>): Uint8Array {
  const clocks = [...vector].filter(([, clock]) => clock > 0).sort(([a], [b]) => b - a)
  const writer = new Writer(8 + clocks.length * 10)
  writer.varUint(clocks.length)
  for (const [client, clock] of clocks) writer.varUint(client).varUint(clock)
  return writer.finish()
}
