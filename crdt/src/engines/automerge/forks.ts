/**
 * A fork: two changes of one actor under one sequence number, as when a client lost its last
 * changes and went on writing under its old actor. Automerge loads either, but not both. Nodes
 * refuse the second where they see it, but two nodes can each have taken one. Both are kept, and
 * count for summary and digest; the document that is read holds the one with the lower hash and
 * nothing that rests on the other, so that every node reads the same.
 */
import { EngineError } from "../engine.ts"
import { historyOf, type History } from "./history.ts"
import { changesOf, mergeUpdates } from "./merge.ts"

/** Hashes of the changes that are not read. O(changes). */
function losersOf(history: History): ReadonlySet<string> {
  const winners = new Map<string, string>()
  for (const { actor, seq, hash } of history.values()) {
    const winner = winners.get(`${actor} ${seq}`)
    if (winner === undefined || hash < winner) winners.set(`${actor} ${seq}`, hash)
  }
  const children = new Map<string, string[]>()
  const open: string[] = []
  for (const { actor, seq, hash, deps } of history.values()) {
    if (winners.get(`${actor} ${seq}`) !== hash) open.push(hash)
    for (const dep of deps) children.set(dep, [...(children.get(dep) ?? []), hash])
  }
  const losers = new Set<string>()
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (losers.has(hash)) continue
    losers.add(hash)
    open.push(...(children.get(hash) ?? []))
  }
  return losers
}

/** Reads a state; if that fails for a fork, reads it without the losers. */
export function readForked<Result>(
  state: Uint8Array,
  read: (loadable: Uint8Array) => Result,
): Result {
  try {
    return read(state)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    const losers = losersOf(historyOf(state))
    if (losers.size === 0) throw error
    return read(mergeUpdates(changesOf(state, (hash) => !losers.has(hash))))
  }
}
