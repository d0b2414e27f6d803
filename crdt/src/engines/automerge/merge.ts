/**
 * A state is a set of chunks in a canonical order: documents as they came (those that differ stay
 * apart until they are compacted), then single changes, each once. Loading and saving instead
 * would cost more, and a plain load refuses changes whose predecessors are missing.
 */
import { bytesConcat } from "../../base/bytes-concat.ts"
import { bytesCompare } from "../../base/bytes.ts"
import { splitChunks } from "./chunk.ts"
import { readHeads } from "./heads.ts"
import { ancestorsOf, historyOf, readChange, type Change } from "./history.ts"
import { changeChunks } from "./library.ts"

export const emptyState: Uint8Array = new Uint8Array(0)

/** O(bytes · log changes). @throws EngineError `invalid-update`. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const documents = new Map<string, Uint8Array>()
  const changes = new Map<string, Change>()
  for (const update of updates) {
    for (const chunk of splitChunks(update)) {
      if (!chunk.single) documents.set(chunk.hash, chunk.bytes)
      else if (!changes.has(chunk.hash)) changes.set(chunk.hash, readChange(chunk))
    }
  }
  const sorted = [...documents.values()].sort(bytesCompare)
  return bytesConcat([...sorted, ...inOrder(changes)])
}

/**
 * Predecessors first, ties by hash: Automerge puts changes that come too early into a queue that
 * it scans for each change. What rests on a missing change comes in its place all the same.
 */
function inOrder(changes: ReadonlyMap<string, Change>): Uint8Array[] {
  const children = new Map<string, Change[]>()
  const missing = new Map<string, number>()
  const ready: Change[] = []
  for (const change of changes.values()) {
    const deps = change.deps.filter((dep) => changes.has(dep))
    missing.set(change.hash, deps.length)
    if (deps.length === 0) ready.push(change)
    for (const dep of deps) {
      const known = children.get(dep)
      if (known === undefined) children.set(dep, [change])
      else known.push(change)
    }
  }
  const chunks: Uint8Array[] = []
  let level = ready
  while (level.length > 0) {
    level.sort((a, b) => (a.hash < b.hash ? -1 : 1))
    const next: Change[] = []
    for (const { hash, chunk } of level) {
      if (chunk !== undefined) chunks.push(chunk)
      for (const child of children.get(hash) ?? []) {
        const rest = (missing.get(child.hash) ?? 0) - 1
        missing.set(child.hash, rest)
        if (rest === 0) next.push(child)
      }
    }
    level = next
  }
  return chunks
}

/**
 * Heads that we lack say nothing: what they rest on is unknown, so it is sent. O(bytes), and
 * loading what `state` holds as a document.
 */
export function differenceOf(state: Uint8Array, summary: Uint8Array): Uint8Array {
  const heads = readHeads(summary)
  const history = historyOf(state)
  const held = ancestorsOf(history, heads)
  return held.size === 0 ? state : mergeUpdates(changesOf(state, (hash) => !held.has(hash)))
}

/** Every change in a state of which `wanted` says so, as a chunk of its own. */
export function changesOf(state: Uint8Array, wanted: (hash: string) => boolean): Uint8Array[] {
  return splitChunks(state).flatMap(({ single, bytes, hash }) => {
    if (single) return wanted(hash) ? [bytes] : []
    return changeChunks(bytes, wanted)
  })
}
