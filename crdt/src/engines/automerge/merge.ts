/**
 * A state is a set of chunks in a canonical order: documents and bundles as they came, then single
 * changes, each once. Loading and saving instead would cost more and lose nothing but order, yet a
 * plain load refuses changes whose predecessors are missing; those must be kept.
 */
import { bytesCompare, bytesConcat } from "../../base/bytes.ts"
import { splitChunks } from "./chunk.ts"
import { readHeads } from "./heads.ts"
import { ancestorsOf, historyOf, isSingle, readChange, type Change } from "./history.ts"
import { changeChunks } from "./library.ts"

export const emptyState: Uint8Array = new Uint8Array(0)

/** O(bytes · log changes). @throws EngineError `invalid-update`. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const packs = new Map<string, Uint8Array>()
  const changes = new Map<string, Change>()
  for (const update of updates) {
    for (const chunk of splitChunks(update)) {
      if (isSingle(chunk)) keepSmaller(changes, readChange(chunk))
      else packs.set(chunk.hash ?? "", chunk.bytes)
    }
  }
  const packed = [...packs.values()].sort(bytesCompare)
  return bytesConcat([...packed, ...inOrder(changes)])
}

/** One change can come deflated and not; which one is kept must not depend on order. */
function keepSmaller(changes: Map<string, Change>, change: Change): void {
  const known = changes.get(change.hash)?.chunk
  const chunk = change.chunk ?? emptyState
  if (known !== undefined) {
    if (known.length < chunk.length) return
    if (known.length === chunk.length && bytesCompare(known, chunk) <= 0) return
  }
  changes.set(change.hash, change)
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
  if (held.size === 0) return state
  const lacked = (hash: string) => !held.has(hash)
  const chunks: Uint8Array[] = []
  let packed = false
  for (const { hash, chunk } of history.values()) {
    if (!lacked(hash)) continue
    if (chunk === undefined) packed = true
    else chunks.push(chunk)
  }
  if (packed) chunks.push(...changeChunks(state, lacked))
  return mergeUpdates(chunks)
}
