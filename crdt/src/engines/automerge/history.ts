/**
 * The changes inside updates and states: what each is called, who wrote it and what it needs.
 * Single changes are read here, without Automerge; only documents need it. Nothing here depends
 * on order: a state is a set of chunks.
 */
import { bytesToHex } from "../../base/bytes.ts"
import { DecodeError } from "../../base/errors.ts"
import { Reader } from "../../base/reader.ts"
import { isOrdinaryChange } from "./change-operations.ts"
import { decoding, splitChunks, type Chunk } from "./chunk.ts"
import { countRows, readColumns, varInt } from "./columns.ts"
import { changesIn, decodeChange, type ChangeFacts } from "./library.ts"
import { changeRowsMax, decodedRowsMax, documentRowsMax } from "./limits.ts"

const hashBytes = 32

/** A change, and the chunk that holds nothing else, if one does. */
export type Change = ChangeFacts & { readonly chunk: Uint8Array | undefined }

/** Hash to change. */
export type History = ReadonlyMap<string, Change>

/** What a change says of itself before its operations. */
function readHead(reader: Reader, hash: string): ChangeFacts {
  const deps = readHashes(reader)
  const actor = bytesToHex(reader.raw(reader.varUint()))
  const seq = reader.varUint()
  if (seq === 0) throw new DecodeError("bad-value", reader.offset, "changes count from 1")
  return { hash, actor, seq, deps }
}

function readHashes(reader: Reader): string[] {
  const hashes: string[] = []
  const count = reader.varUint()
  for (let index = 0; index < count; index++) hashes.push(bytesToHex(reader.raw(hashBytes)))
  return hashes
}

/** Steps over length-prefixed actors. */
function skipActors(reader: Reader): void {
  const count = reader.varUint()
  for (let index = 0; index < count; index++) reader.raw(reader.varUint())
}

/** Operations in a change, counted without unfolding them. Checks that they stay within limits. */
function changeRows({ body, hash }: Chunk): number {
  const reader = new Reader(body)
  readHead(reader, hash)
  reader.varUint()
  varInt(reader)
  reader.raw(reader.varUint())
  skipActors(reader)
  return countRows(reader, readColumns(reader), changeRowsMax)
}

function checkDocumentRows({ body }: Chunk): void {
  const reader = new Reader(body)
  skipActors(reader)
  readHashes(reader)
  const changes = readColumns(reader)
  const operations = readColumns(reader)
  countRows(reader, changes, documentRowsMax)
  countRows(reader, operations, documentRowsMax)
}

/** Reads a single change without its operations. */
export function readChange({ body, bytes, hash }: Chunk): Change {
  return decoding(() => ({ ...readHead(new Reader(body), hash), chunk: bytes }))
}

/** All changes in a chunk, completely decoded. @throws EngineError `invalid-update`. */
export function decodeChunk(chunk: Chunk): readonly ChangeFacts[] {
  if (!chunk.single) return documentChanges(chunk)
  if (isOrdinaryChange(chunk.body)) return [readChange(chunk)]
  const rows = decoding(() => changeRows(chunk))
  if (rows <= decodedRowsMax) return [decodeChange(chunk.bytes)]
  changesIn(chunk.bytes)
  return [readChange(chunk)]
}

function documentChanges(chunk: Chunk): readonly ChangeFacts[] {
  decoding(() => checkDocumentRows(chunk))
  return changesIn(chunk.bytes)
}

/** O(bytes); a document inside costs loading it. @throws EngineError `invalid-update`. */
export function historyOf(state: Uint8Array): History {
  const history = new Map<string, Change>()
  for (const chunk of splitChunks(state)) {
    if (chunk.single) {
      const change = readChange(chunk)
      history.set(change.hash, change)
    } else {
      for (const change of documentChanges(chunk)) {
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
