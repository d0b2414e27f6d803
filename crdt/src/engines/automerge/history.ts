/**
 * The changes inside updates and states: what each is called, who wrote it and what it needs.
 * Single changes are read here, without Automerge; only documents and bundles need it. Nothing
 * here depends on order: a state is a set of chunks.
 */
import { bytesToHex } from "../../base/bytes.ts"
import { Reader } from "../../base/reader.ts"
import { EngineError } from "../engine.ts"
import { chunkType, decoding, splitChunks, type Chunk } from "./chunk.ts"
import { changesIn, decodeChange, readBundle, type ChangeFacts } from "./library.ts"

const hashBytes = 32

/** A change, and the chunk that holds nothing else, if one does. */
export type Change = ChangeFacts & { readonly chunk: Uint8Array | undefined }

/** Hash to change. */
export type History = ReadonlyMap<string, Change>

/** Head of a change (deps, actor, seq); the operations are left unread. */
function readChangeHead(chunk: Chunk, hash: string): ChangeFacts {
  return decoding(() => {
    const reader = new Reader(chunk.bytes.subarray(chunk.bodyOffset))
    const count = reader.varUint()
    const deps: string[] = []
    for (let index = 0; index < count; index++) deps.push(bytesToHex(reader.raw(hashBytes)))
    const actor = bytesToHex(reader.raw(reader.varUint()))
    return { hash, actor, seq: reader.varUint(), deps }
  })
}

/** Reads a single change without its operations, unless it is deflated. */
export function readChange(chunk: Chunk): Change {
  if (chunk.hash !== undefined) return { ...readChangeHead(chunk, chunk.hash), chunk: chunk.bytes }
  return { ...decodeChecked(chunk), chunk: chunk.bytes }
}

/** Reads a single change with all its operations. */
function decodeChecked(chunk: Chunk): ChangeFacts {
  const change = decodeChange(chunk.bytes)
  if (!change.hash.startsWith(chunk.checksum)) {
    throw new EngineError("invalid-update", "wrong checksum")
  }
  return change
}

export function isSingle(chunk: Chunk): boolean {
  return chunk.type === chunkType.change || chunk.type === chunkType.deflated
}

/** All changes in a chunk, completely decoded. */
export function decodeChunk(chunk: Chunk): readonly ChangeFacts[] {
  if (isSingle(chunk)) return [decodeChecked(chunk)]
  return changesInside(chunk)
}

function changesInside(chunk: Chunk): readonly ChangeFacts[] {
  return chunk.type === chunkType.bundle ? readBundle(chunk.bytes) : changesIn(chunk.bytes)
}

/** O(bytes); a document or bundle inside costs loading it. */
export function historyOf(state: Uint8Array): History {
  const history = new Map<string, Change>()
  for (const chunk of splitChunks(state)) {
    if (isSingle(chunk)) {
      const change = readChange(chunk)
      history.set(change.hash, change)
    } else {
      for (const change of changesInside(chunk)) {
        if (!history.has(change.hash)) history.set(change.hash, { ...change, chunk: undefined })
      }
    }
  }
  return history
}

/** The hashes in `from` and all that they rest on. Unknown hashes are left out. O(changes). */
export function ancestorsOf(history: History, from: Iterable<string>): Set<string> {
  const found = new Set<string>()
  const open = [...from]
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    const change = history.get(hash)
    if (change === undefined || found.has(hash)) continue
    found.add(hash)
    open.push(...change.deps)
  }
  return found
}
