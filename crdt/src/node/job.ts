/**
 * CPU-heavy work on documents as data, so that a driver can run it on another thread and the
 * simulator at a virtual time. `runJob` is pure; it never throws: an update that an engine can't
 * read is left out and counted, so one bad record costs no neighbour.
 */
import { bytesEqual } from "../base/index.ts"
import type { EngineName } from "../base/index.ts"
import type { Engine, Json } from "../engines/index.ts"
import { EngineError } from "../engines/index.ts"
import { DIGEST_BYTES, digestBytes } from "../log/digest-leaf.ts"

export type Engines = Readonly<Record<EngineName, Engine>>

export type Job =
  /** Merges, and cuts out what the holder of `summary` lacks. */
  | {
      readonly type: "difference"
      readonly engine: EngineName
      readonly parts: readonly Uint8Array[]
      readonly summary: Uint8Array
    }
  /** Whether an update brings anything that the parts have not. */
  | {
      readonly type: "includes"
      readonly engine: EngineName
      readonly parts: readonly Uint8Array[]
      readonly update: Uint8Array
    }
  | { readonly type: "json"; readonly engine: EngineName; readonly parts: readonly Uint8Array[] }
  /** All parts in one, in fewer bytes. */
  | { readonly type: "compact"; readonly engine: EngineName; readonly parts: readonly Uint8Array[] }
  /** What the parts amount to, and whether that hangs on their order. */
  | { readonly type: "digest"; readonly engine: EngineName; readonly parts: readonly Uint8Array[] }

export type JobResult =
  | {
      readonly type: "difference"
      /** All parts in one. */
      readonly state: Uint8Array
      readonly difference: Uint8Array
      /** How many parts the engine could not read and that were left out. */
      readonly unreadable: number
    }
  | { readonly type: "includes"; readonly state: Uint8Array; readonly includes: boolean }
  | { readonly type: "json"; readonly json: Json }
  | {
      readonly type: "compact"
      readonly compacted: Uint8Array
      /** How many parts the engine could not read and that were left out. */
      readonly unreadable: number
    }
  | {
      readonly type: "digest"
      /** `DIGEST_BYTES`; the same for any content that waits for a predecessor. */
      readonly content: Uint8Array
      /** An id stands for two things: who merges in another order sees another content. */
      readonly contradicts: boolean
    }
  | { readonly type: "failed"; readonly message: string }

export function runJob(engines: Engines, job: Job): JobResult {
  try {
    return run(engines[job.engine], job)
  } catch (error) {
    return { type: "failed", message: error instanceof Error ? error.message : String(error) }
  }
}

function run(engine: Engine, job: Job): JobResult {
  const { state, unreadable } = mergeReadable(engine, job.parts)
  switch (job.type) {
    case "difference":
      return {
        type: "difference",
        state,
        difference: engine.difference(state, job.summary),
        unreadable,
      }
    case "includes":
      return { type: "includes", state, includes: engine.includes(state, job.update) }
    case "json":
      return { type: "json", json: engine.toJson(state) }
    case "compact":
      return { type: "compact", compacted: engine.compact(state), unreadable }
    case "digest": {
      const content = digestOf(engine, state)
      const isSure = job.parts.length < 2
      const reversed = isSure ? state : mergeReadable(engine, job.parts.toReversed()).state
      const contradicts = !isSure && !bytesEqual(content, digestOf(engine, reversed))
      return { type: "digest", content, contradicts }
    }
  }
}

const pendingDigest = new Uint8Array(DIGEST_BYTES)

function digestOf(engine: Engine, state: Uint8Array): Uint8Array {
  try {
    return digestBytes(engine.digest(state))
  } catch (error) {
    if (error instanceof EngineError && error.code === "pending") return pendingDigest
    throw error
  }
}

function mergeReadable(
  engine: Engine,
  parts: readonly Uint8Array[],
): { state: Uint8Array; unreadable: number } {
  try {
    return { state: engine.merge(parts), unreadable: 0 }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
  }
  const readable = parts.filter((part) => isReadable(engine, part))
  return { state: engine.merge(readable), unreadable: parts.length - readable.length }
}

function isReadable(engine: Engine, part: Uint8Array): boolean {
  try {
    engine.validate(part)
    return true
  } catch (error) {
    if (error instanceof EngineError) return false
    throw error
  }
}
