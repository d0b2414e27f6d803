/**
 * The only file that imports Automerge: a build for browsers can put the slim entry, which does
 * not carry its WASM along, in its place. WASM objects live outside the garbage collector, so
 * every document is freed here, and whatever Automerge throws (its panics included) becomes an
 * EngineError.
 */
import * as A from "@automerge/automerge"
import { EngineError } from "../engine.ts"

export type ChangeFacts = {
  readonly hash: string
  readonly actor: string
  readonly seq: number
  readonly deps: readonly string[]
}

/** The low-level document, which builds no JavaScript objects. */
type Handle = ReturnType<typeof A.getBackend>

function fail(error: unknown): never {
  if (error instanceof EngineError) throw error
  const message = error instanceof Error ? error.message : String(error)
  throw new EngineError("invalid-update", `Automerge cannot read this: ${message}`, {
    cause: error,
  })
}

/** Decodes a change chunk with all its operations. Does not check its sum. */
export function decodeChange(chunk: Uint8Array): ChangeFacts {
  try {
    const { hash, actor, seq, deps } = A.decodeChange(chunk)
    return { hash, actor, seq, deps }
  } catch (error) {
    fail(error)
  }
}

/** A document that holds `bytes`; changes without their predecessors wait inside. */
function withDocument<Result>(bytes: Uint8Array, use: (doc: A.Doc<unknown>) => Result): Result {
  // Without an actor Automerge would draw one; this document never writes.
  let doc: A.Doc<unknown> = A.init({ actor: "00" })
  try {
    doc = A.loadIncremental(doc, bytes)
    return use(doc)
  } catch (error) {
    fail(error)
  } finally {
    A.free(doc)
  }
}

/** The changes in `bytes` that can take effect; the operations of all are checked. */
export function changesIn(bytes: Uint8Array): readonly ChangeFacts[] {
  return withDocument(bytes, (doc) =>
    A.getChangesMetaSince(doc, []).map(({ hash, actor, seq, deps }) => ({
      hash,
      actor,
      seq,
      deps,
    })),
  )
}

/** The chunks of single changes of which `wanted` says so, as Automerge wrote them. */
export function changeChunks(
  bytes: Uint8Array,
  wanted: (hash: string) => boolean,
): readonly Uint8Array[] {
  return withDocument(bytes, (doc) => {
    const handle: Handle = A.getBackend(doc)
    const chunks: Uint8Array[] = []
    for (const { hash } of handle.getChangesMeta([])) {
      if (!wanted(hash)) continue
      const chunk = handle.getChangeByHash(hash)
      if (chunk !== null) chunks.push(chunk)
    }
    return chunks
  })
}

/** The same changes as one document chunk, and those that wait for others behind it. */
export function saveDocument(bytes: Uint8Array): Uint8Array {
  return withDocument(bytes, (doc) => A.save(doc))
}

/** The document's value: plain objects and arrays, and Automerge's own classes for scalars. */
export function valueOf(bytes: Uint8Array): unknown {
  return withDocument(bytes, (doc) => A.toJS(doc))
}
